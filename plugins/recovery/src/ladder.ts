import type { Checkpoint, LatencyBound, Nanoseconds, Rung } from '@rmk/core';

/** A checkpoint to try, and the name of its rung. */
export interface Candidate {
  readonly rung: Exclude<Rung, 'restart'>;
  readonly checkpoint: Checkpoint;
}

/** The checkpoints that may undo an error, in the order in which to try them, and why none of them is sure to. */
export interface Ladder {
  readonly candidates: readonly Candidate[];
  /** Nearest to the target first. Only tried if damage bars the candidates, since they may hold the error. */
  readonly newer: readonly Candidate[];
  /** Why no retained checkpoint is a target. Undefined if one is. */
  readonly noTargetBecause?: string;
}

/** What a detection says about the time of the error. */
export interface DetectedError {
  readonly atNs: Nanoseconds;
  readonly suspectSinceNs?: Nanoseconds;
  readonly latency: LatencyBound;
}

/**
 * From when on the guest is suspect: since the last moment at which it was known to be healthy, or for as long as the
 * latency of the error may be (T_B of §4).
 */
export function suspectSince({ atNs, suspectSinceNs, latency }: DetectedError): Nanoseconds {
  return suspectSinceNs ?? atNs - latency.boundNs;
}

/**
 * The rule: the target is the newest checkpoint taken at or before the guest became suspect, then come all older ones.
 * With T_B = T_ck and two retained this is the dual-checkpoint scheme of §3, with T_B = 0 the single-checkpoint one.
 * If no checkpoint is old enough, the oldest one is the only candidate: it holds the error with a probability that
 * falls with its age, and a restart loses everything for sure. `retained`: newest first.
 */
export function ladderFor(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds): Ladder {
  const target = retained.findIndex(({ takenAtNs }) => takenAtNs <= suspectSinceNs);
  const oldest = retained.at(-1);
  if (oldest === undefined) {
    return { candidates: [], newer: [], noTargetBecause: 'no checkpoint is retained' };
  }
  if (target < 0) {
    return {
      candidates: [{ rung: 'only', checkpoint: oldest }],
      newer: newerThan(retained, retained.length - 1),
      noTargetBecause: tooYoung(oldest, suspectSinceNs),
    };
  }
  return {
    candidates: retained
      .slice(target)
      .map((checkpoint, steps) => ({ rung: steps === 0 ? 'target' : 'older', checkpoint })),
    newer: newerThan(retained, target),
  };
}

/**
 * The same failure again: the state that the last rollback reopened (`left`) holds the error, so only older checkpoints
 * help. If `left` is no longer retained, all retained checkpoints are newer.
 */
export function ladderAgain(retained: readonly Checkpoint[], left: Checkpoint | undefined): Ladder {
  const age = retained.findIndex((checkpoint) => checkpoint === left);
  const older = age < 0 ? [] : retained.slice(age + 1);
  const candidates = older.map((checkpoint) => ({ rung: 'older', checkpoint }) as const);
  if (candidates.length > 0) return { candidates, newer: [] };
  return {
    candidates,
    newer: [],
    noTargetBecause: 'the same failure again, and no retained checkpoint is older than the one used before',
  };
}

function newerThan(retained: readonly Checkpoint[], age: number): readonly Candidate[] {
  return retained
    .slice(0, age)
    .toReversed()
    .map((checkpoint) => ({ rung: 'newer', checkpoint }));
}

function tooYoung({ takenAtNs }: Checkpoint, suspectSinceNs: Nanoseconds): string {
  return (
    `the guest is suspect since ${suspectSinceNs / 1e6} ms, and the oldest retained checkpoint was taken at ` +
    `${takenAtNs / 1e6} ms. Retain more checkpoints, or take them less often.`
  );
}
