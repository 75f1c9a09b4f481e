import { ModelError, requireOpenUnit, requirePositive } from '../errors.js';
import type { LatencyDistribution } from './latencyDistribution.js';

/**
 * The one rule by which RMK chooses a rollback target: the newest checkpoint taken at or before the moment since which
 * the guest is suspect. That moment is the last sign of health where the detector knows it, and otherwise the detection
 * less T_B, the bound on the latency that the detector states. With T_B = T_ck it is the dual-checkpoint scheme of §4,
 * with T_B = 0 the single-checkpoint one.
 */
export interface RollbackRule {
  /** T_ck. */
  readonly intervalMs: number;
  /** T_B. */
  readonly boundMs: number;
}

/** Rounding of T_B / T_ck must not cost a checkpoint: 1.1 ms / 0.1 ms is 11, not 11.000000000000002. */
const ROUNDING = 1 - 4 * Number.EPSILON;

/** The probability that the rule's target holds the error: the mean of P(l > u) over [T_B, T_B + T_ck]. */
export function ruleCorruption(latency: LatencyDistribution, { intervalMs, boundMs }: RollbackRule): number {
  return latency.corruptionFrom(boundMs, intervalMs);
}

/** The checkpoints to retain so that the rule always has a target: ⌈T_B / T_ck⌉ + 1. */
export function ruleRetained({ intervalMs, boundMs }: RollbackRule): number {
  requirePositive('the checkpoint interval (ms)', intervalMs);
  if (!(boundMs >= 0 && boundMs < Infinity)) {
    throw new ModelError('RMK_ERR_INPUT', `the latency bound (ms) must be zero or more, not ${boundMs}`);
  }
  return Math.ceil((boundMs / intervalMs) * ROUNDING) + 1;
}

/** Thirty years. */
const LONGEST_BOUND_MS = 1e12;

/**
 * The smallest T_B, in ms, with which the rule's target is corrupted with a probability of at most `risk`. It is 0 if
 * even the newest checkpoint meets the risk, and a bound that it meets is never more than two units of the last digit
 * too long.
 *
 * Throws RMK_ERR_INPUT if no bound meets the risk, because too many errors are never detected.
 */
export function boundOfRisk(latency: LatencyDistribution, risk: number, intervalMs: number): number {
  requireOpenUnit('the accepted risk', risk);
  const meets = (boundMs: number) => latency.corruptionFrom(boundMs, intervalMs) <= risk;
  if (meets(0)) return 0;
  let low = 0;
  let high = intervalMs;
  while (!meets(high)) {
    if (high > LONGEST_BOUND_MS) {
      const left = latency.corruptionFrom(high, intervalMs);
      throw new ModelError(
        'RMK_ERR_INPUT',
        `no latency bound brings the risk down to ${risk}: ${left} of the errors are never detected. Accept a higher risk.`,
      );
    }
    low = high;
    high *= 2;
  }
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return high;
    if (meets(middle)) high = middle;
    else low = middle;
  }
}
