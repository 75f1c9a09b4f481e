import { requireCount, requirePositive } from '../errors.js';
import { type Estimate, proportion } from '../numerics/interval.js';
import { seededRandom } from '../numerics/random.js';
import type { LatencyDistribution } from './latencyDistribution.js';
import type { RollbackRule } from './rollbackRule.js';

/** About a minute and a half. */
const MAX_TRIALS = 1_000_000_000;

/** Which checkpoint a rollback goes to on the timeline of figure 4, and whether the error is in it. */
export interface TimelineOutcome {
  /** The number of the rollback target; checkpoint i is taken at i T. */
  readonly target: number;
  readonly corrupted: boolean;
}

/**
 * One error on the timeline of figure 4: it strikes `offsetMs` after checkpoint 0 and is detected `latencyMs` later. By
 * then the last checkpoint is number floor((a + l) / T), the target is the oldest of the `retained` ones, and it holds
 * the error when it was taken after the error struck.
 */
export function timelineOutcome(
  offsetMs: number,
  latencyMs: number,
  intervalMs: number,
  retained: number,
): TimelineOutcome {
  const last = Math.floor((offsetMs + latencyMs) / intervalMs);
  const target = last - (retained - 1);
  return { target, corrupted: target * intervalMs > offsetMs };
}

/**
 * The same by the rule: the target is the newest checkpoint that was taken T_B before the detection or earlier.
 */
export function ruleOutcome(
  offsetMs: number,
  latencyMs: number,
  { intervalMs, boundMs }: RollbackRule,
): TimelineOutcome {
  const target = Math.floor((offsetMs + latencyMs - boundMs) / intervalMs);
  return { target, corrupted: target * intervalMs > offsetMs };
}

export interface TimelineOptions {
  readonly trials?: number;
  readonly seed?: number;
  readonly confidence?: number;
}

/** {@link simulateRule} of the oldest of `retained` checkpoints. */
export function simulateTimeline(
  latency: LatencyDistribution,
  intervalMs: number,
  retained: number,
  options: TimelineOptions = {},
): Estimate {
  requirePositive('the checkpoint interval (ms)', intervalMs);
  requireCount('the number of retained checkpoints', retained);
  return simulateRule(latency, { intervalMs, boundMs: (retained - 1) * intervalMs }, options);
}

/**
 * Plays `trials` errors on the timeline of figure 4 and counts the corrupted rollback targets. Deterministic for a
 * seed. It uses none of the equations: it is what they are checked against.
 */
export function simulateRule(
  latency: LatencyDistribution,
  rule: RollbackRule,
  { trials = 1_000_000, seed = 1, confidence = 0.95 }: TimelineOptions = {},
): Estimate {
  requireCount('the number of trials', trials, 1, MAX_TRIALS);
  const random = seededRandom(seed);
  let corrupted = 0;
  for (let trial = 0; trial < trials; trial++) {
    const offsetMs = random() * rule.intervalMs;
    if (ruleOutcome(offsetMs, latency.sample(random), rule).corrupted) corrupted++;
  }
  return proportion(corrupted, trials, confidence);
}
