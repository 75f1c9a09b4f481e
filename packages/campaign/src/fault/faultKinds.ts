import { failureExit, halt, hang, signal, taskLoop, wildJump } from './failures.js';
import type { FaultKind } from './faultKind.js';
import { interruptDuplicate, interruptLost } from './interruptFaults.js';
import { agentRemoved, agentRestarted, contextDamage, logDamage, pluginThrows } from './mechanismFaults.js';
import { memoryFlip, memoryFlipBeneath } from './memoryFlips.js';
import { registerFlip } from './registerFlip.js';
import { intermittent, stuckAt, stuckAtMemory } from './stuckFaults.js';

/** The faults that come with RMK. */
export const FAULT_KINDS: readonly FaultKind[] = [
  signal,
  registerFlip,
  memoryFlip,
  memoryFlipBeneath,
  wildJump,
  hang,
  taskLoop,
  halt,
  failureExit,
  stuckAt,
  stuckAtMemory,
  intermittent,
  interruptLost,
  interruptDuplicate,
  logDamage,
  contextDamage,
  pluginThrows,
  agentRemoved,
  agentRestarted,
];
