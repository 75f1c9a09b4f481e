import { hasCode, messageOf, type Checkpoint, type Checkpoints, type RungAttempt } from '@rmk/core';
import type { Candidate, Ladder } from './ladder.js';
import type { Restored } from './record.js';
import type { Trigger } from './trigger.js';

/** A rollback that succeeded, and the checkpoint at the state that it left. */
export interface RolledBack {
  readonly restored: Restored;
  readonly reopened: Checkpoint;
}

/** Rolls back to the first candidate that works. Adds each try to `attempts`. Undefined if none works. */
export async function climb(
  checkpoints: Checkpoints,
  { candidates, newer, noTargetBecause }: Ladder,
  trigger: Trigger,
  attempts: RungAttempt[],
): Promise<RolledBack | undefined> {
  if (noTargetBecause !== undefined) attempts.push({ rung: 'target', failure: noTargetBecause });
  let damaged = false;
  for (const candidate of candidates) {
    const outcome = await tryCandidate(checkpoints, candidate, trigger, attempts);
    if (typeof outcome !== 'string') return outcome;
    damaged ||= outcome === 'damaged';
  }
  if (!damaged) return undefined;
  for (const candidate of newer) {
    const outcome = await tryCandidate(checkpoints, candidate, trigger, attempts);
    if (typeof outcome !== 'string') return outcome;
  }
  return undefined;
}

async function tryCandidate(
  checkpoints: Checkpoints,
  { rung, checkpoint }: Candidate,
  trigger: Trigger,
  attempts: RungAttempt[],
): Promise<RolledBack | 'failed' | 'damaged'> {
  const { takenAtNs, origin } = checkpoint;
  try {
    const { pagesRestored, undoneNs, outputStruckBytes, reopened } = await checkpoints.rollback(checkpoint);
    attempts.push({ rung, takenAtNs });
    const used = { takenAtNs, origin, ageNs: trigger.atNs - takenAtNs };
    return {
      restored: { rung, checkpoint: used, pagesRestored, workLostNs: undoneNs, outputStruckBytes },
      reopened,
    };
  } catch (error) {
    attempts.push({ rung, takenAtNs, failure: messageOf(error) });
    return hasCode(error, 'RMK_ERR_LOGDAMAGED') ? 'damaged' : 'failed';
  }
}
