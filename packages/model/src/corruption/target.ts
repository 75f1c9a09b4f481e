import { ModelError, requireCount, requireOpenUnit } from '../errors.js';
import type { LatencyDistribution } from './latencyDistribution.js';

/** The intervals that are looked at: from a picosecond to 30 years. */
const SHORTEST_MS = 1e-9;
const LONGEST_MS = 1e12;

/**
 * The shortest interval, in ms, with which the probability of corruption is at most `target`, for any distribution of
 * the latency: the probability never grows with the interval, so it is found by halving.
 *
 * Throws RMK_ERR_INPUT if no interval reaches the target, because too many errors are never detected.
 */
export function intervalOfTarget(latency: LatencyDistribution, target: number, retained: number): number {
  requireOpenUnit('the target probability', target);
  requireCount('the number of retained checkpoints', retained);
  const floor = latency.corruption(LONGEST_MS, retained);
  if (floor > target) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `no interval brings the probability of corruption down to ${target}: ${floor} is left however long it is, since so many errors are never detected`,
    );
  }
  let low = Math.log(SHORTEST_MS);
  let high = Math.log(LONGEST_MS);
  for (let step = 0; step < 100 && high - low > 1e-14; step++) {
    const middle = (low + high) / 2;
    if (latency.corruption(Math.exp(middle), retained) > target) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

/** The longest history that is looked at. */
const LONGEST_HISTORY = 10_000;

/**
 * The smallest history with which the probability of corruption is at most `target` at a given interval, for any
 * distribution of the latency; undefined where none of up to 10 000 checkpoints is enough, as when too many errors are
 * never detected.
 */
export function retainedOfTarget(
  latency: LatencyDistribution,
  target: number,
  intervalMs: number,
): number | undefined {
  requireOpenUnit('the target probability', target);
  for (let retained = 1; retained <= LONGEST_HISTORY; retained++) {
    if (latency.corruption(intervalMs, retained) <= target) return retained;
  }
  return undefined;
}
