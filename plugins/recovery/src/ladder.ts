import type { Checkpoint, Nanoseconds } from '@rmk/core';

/** A checkpoint to try, and what going there would be called. */
export interface Candidate {
  readonly rung: 'target' | 'older' | 'newer';
  readonly checkpoint: Checkpoint;
}

/** The checkpoints that may undo an error, in the order in which they are to be tried; and why there may be none. */
export interface Ladder {
  readonly candidates: readonly Candidate[];
  /** Nearest to the target first. Only for when damage bars the candidates: they may hold the error. */
  readonly newer: readonly Candidate[];
  /** Why there is no candidate; absent where there is one. */
  readonly emptyBecause?: string;
}

/**
 * Which checkpoints may undo a new error (§3, the dual-checkpoint rule made general): the newest taken at or before the
 * last moment at which the guest was well, and never the newest of all, which the error may have reached before it was
 * detected; then all older ones. `retained`: newest first.
 */
export function ladderFor(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds | undefined): Ladder {
  const target = retained.findIndex(
    ({ takenAtNs }, age) => age > 0 && (suspectSinceNs === undefined || takenAtNs <= suspectSinceNs),
  );
  if (target < 0) return { candidates: [], newer: [], emptyBecause: whyNone(retained, suspectSinceNs) };
  return {
    candidates: retained
      .slice(target)
      .map((checkpoint, steps) => ({ rung: steps === 0 ? 'target' : 'older', checkpoint })),
    newer: retained
      .slice(0, target)
      .toReversed()
      .map((checkpoint) => ({ rung: 'newer', checkpoint })),
  };
}

/**
 * The same error again: what the last rollback left (`left`) holds it, so only what is older helps. Where `left` is
 * not retained any more, all that is retained is newer.
 */
export function ladderAgain(retained: readonly Checkpoint[], left: Checkpoint | undefined): Ladder {
  const age = retained.findIndex((checkpoint) => checkpoint === left);
  const older = age < 0 ? [] : retained.slice(age + 1);
  if (older.length === 0) {
    return {
      candidates: [],
      newer: [],
      emptyBecause: 'the same error again, and no retained checkpoint is older than the one used before',
    };
  }
  return { candidates: older.map((checkpoint) => ({ rung: 'older', checkpoint })), newer: [] };
}

function whyNone(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds | undefined): string {
  if (retained.length === 0) return 'no checkpoint is retained';
  if (retained.length === 1)
    return 'only the newest checkpoint is retained, which the error may have reached';
  const oldestMs = (retained.at(-1)?.takenAtNs ?? 0) / 1e6;
  return (
    `no retained checkpoint is as old as the last sign that the guest was well (at ${(suspectSinceNs ?? 0) / 1e6} ms, ` +
    `the oldest is of ${oldestMs} ms): retain more of them, or take them less often`
  );
}
