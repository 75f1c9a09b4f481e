import type { Nanoseconds } from '@rmk/core';

/** A failure of the guest, with what helps to recognise it when it comes again. */
export interface Failure {
  readonly kind: string;
  readonly cause: string;
  readonly detector: string;
  readonly place?: string;
  /** Guest time at which the failure was detected: how far the guest had come. */
  readonly detectedAtNs: Nanoseconds;
  /**
   * Guest time at which the guest was last known to be healthy; the time of the detection if the detector cannot tell.
   */
  readonly healthyAtNs: Nanoseconds;
  /**
   * By how much the detection may vary when the same failure comes again: T_B of a detector that looks now and then.
   * 0 if the latency is the error's own, since what a rollback undoes takes the same time again.
   */
  readonly jitterNs: Nanoseconds;
  /** Guest time of the state that the last recovery left, where the detector knows since when the guest is suspect. */
  readonly leftAtNs?: Nanoseconds;
}

/** `'new'`: the guest has come further since. `'same'`: seen before. `'another'`: neither. */
export type Verdict = 'new' | 'same' | 'another';

/** Two runs of the same code reach the same point at guest times that differ by no more than this. */
const SAME_POINT_NS = 1e6;

/** Failures other than the first one that an episode may have before they are taken for the same one. */
const MOST_OTHERS = 2;

/**
 * The failures since the guest last came further than ever before. What a rollback undoes happens again, so the failure
 * that it was to undo is recognised by the guest time at which it comes, its cause and its place. A guest that does not
 * get past its failures has at most {@link MOST_OTHERS} that count as others, so an episode always ends.
 */
export class Episode {
  private failures: readonly Failure[] = [];

  judge(failure: Failure): Verdict {
    const [first] = this.failures;
    if (first === undefined) return 'new';
    if (isNeverHealthy(failure) && this.failures.some((before) => isAlike(before, failure))) return 'same';
    const furthestNs = Math.max(...this.failures.map(({ detectedAtNs }) => detectedAtNs));
    if (failure.detectedAtNs > furthestNs + SAME_POINT_NS) {
      const mayBeLate = failure.detectedAtNs <= furthestNs + failure.jitterNs;
      return mayBeLate && this.failures.some((before) => isAlike(before, failure)) ? 'same' : 'new';
    }
    if (this.failures.some((before) => isAlike(before, failure) && isAtSamePoint(before, failure)))
      return 'same';
    return this.failures.length > MOST_OTHERS ? 'same' : 'another';
  }

  add(failure: Failure, verdict: Verdict): void {
    this.failures = verdict === 'new' ? [failure] : [...this.failures, failure];
  }

  clear(): void {
    this.failures = [];
  }
}

function isAlike(a: Failure, b: Failure): boolean {
  const isElsewhere = a.place !== undefined && b.place !== undefined && a.place !== b.place;
  return a.kind === b.kind && a.detector === b.detector && a.cause === b.cause && !isElsewhere;
}

/** The state that the last recovery left did not give a single sign of health. */
function isNeverHealthy({ healthyAtNs, leftAtNs = -Infinity }: Failure): boolean {
  return healthyAtNs <= leftAtNs + SAME_POINT_NS;
}

function isAtSamePoint(a: Failure, b: Failure): boolean {
  return [a.detectedAtNs - b.detectedAtNs, a.healthyAtNs - b.healthyAtNs].some(
    (differenceNs) => Math.abs(differenceNs) <= SAME_POINT_NS,
  );
}
