import { atAddress, atInstruction, atSymbol, atTime } from './guestTriggers.js';
import { atEvent, inCheckpoint, inRollback } from './protectionTriggers.js';
import type { TriggerKind } from './triggerKind.js';

/** The triggers that come with RMK. */
export const TRIGGER_KINDS: readonly TriggerKind[] = [
  atTime,
  atInstruction,
  atAddress,
  atSymbol,
  atEvent,
  inCheckpoint,
  inRollback,
];
