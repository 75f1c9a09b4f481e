import { failureExit, halt, hang, signal, taskLoop, wildJump } from './failures.js';
import type { FaultKind } from './faultKind.js';
import { memoryFlip, memoryFlipBeneath } from './memoryFlips.js';
import { registerFlip } from './registerFlip.js';

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
];
