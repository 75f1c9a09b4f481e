import { ModelError, requireCount, requireOpenUnit, requirePositive } from '../errors.js';

/** ln((1 - e^-x) / x) for x >= 0, accurate relative to itself also where it is close to zero. */
function logMeanSurvival(x: number): number {
  if (x > 0.1) return Math.log(-Math.expm1(-x) / x);
  // (1 - e^-x) / x = e^(-x/2) sinh(y) / y with y = x / 2.
  const y2 = (x * x) / 4;
  return -x / 2 + y2 * (1 / 6 + y2 * (-1 / 180 + y2 * (1 / 2835 + y2 * (-1 / 37800 + y2 / 467775))));
}

function check(ratePerMs: number, intervalMs: number, retained: number): void {
  requirePositive('the latency rate (per ms)', ratePerMs);
  requirePositive('the checkpoint interval (ms)', intervalMs);
  requireCount('the number of retained checkpoints', retained);
}

/**
 * ln of {@link exponentialCorruption}: finite where the probability itself underflows to zero.
 *
 * Throws RMK_ERR_INPUT for a rate or an interval that is not above zero, or a history that is not a whole number from
 * 1.
 */
export function logExponentialCorruption(ratePerMs: number, intervalMs: number, retained: number): number {
  check(ratePerMs, intervalMs, retained);
  const x = ratePerMs * intervalMs;
  return logMeanSurvival(x) - (retained - 1) * x;
}

/**
 * The probability that an error corrupts the oldest of `retained` checkpoints before it is detected, for an exponential
 * latency: e^(-(k-1) λ T) (1 - e^(-λ T)) / (λ T). §4, eq. 5 is k = 1 and eq. 6 is k = 2; in general a checkpoint is
 * corrupted when a + l > k T, with the error's offset a uniform on [0, T).
 *
 * Throws as {@link logExponentialCorruption}.
 */
export function exponentialCorruption(ratePerMs: number, intervalMs: number, retained: number): number {
  check(ratePerMs, intervalMs, retained);
  const x = ratePerMs * intervalMs;
  // A product of two tiny numbers may underflow to zero, where the ratio tends to one.
  const meanSurvival = x === 0 ? 1 : -Math.expm1(-x) / x;
  return Math.exp(-(retained - 1) * x) * meanSurvival;
}

/**
 * The probability that the rule's rollback target is corrupted, for an exponential latency: e^(-λ T_B) (1 - e^(-λ
 * T_ck)) / (λ T_ck). The target is the newest checkpoint that is at least T_B old at detection. Eq. 5 is T_B = 0, eq. 6
 * is T_B = T_ck.
 *
 * Throws RMK_ERR_INPUT for a rate or an interval that is not above zero, or a bound below zero.
 */
export function exponentialRuleCorruption(ratePerMs: number, intervalMs: number, boundMs: number): number {
  requirePositive('the latency rate (per ms)', ratePerMs);
  requirePositive('the checkpoint interval (ms)', intervalMs);
  if (!(boundMs >= 0 && boundMs < Infinity)) {
    throw new ModelError('RMK_ERR_INPUT', `the latency bound (ms) must be zero or more, not ${boundMs}`);
  }
  const x = ratePerMs * intervalMs;
  // A product of two tiny numbers may underflow to zero, where the ratio tends to one.
  const meanSurvival = x === 0 ? 1 : -Math.expm1(-x) / x;
  return Math.exp(-ratePerMs * boundMs) * meanSurvival;
}

/** 1 - {@link exponentialCorruption}, without the cancellation where λ T is small. */
export function exponentialRecoverability(ratePerMs: number, intervalMs: number, retained: number): number {
  return -Math.expm1(logExponentialCorruption(ratePerMs, intervalMs, retained));
}

/**
 * λ of the exponential latency whose `percentile`-quantile is `latencyMs`: -ln(1 - p) / T_B (§4: 0.0599 per ms for 95 %
 * within 50 ms).
 */
export function rateOfPercentile(percentile: number, latencyMs: number): number {
  requireOpenUnit('the percentile', percentile);
  requirePositive('the latency bound (ms)', latencyMs);
  return -Math.log1p(-percentile) / latencyMs;
}

/** The latency, in ms, that a share `percentile` of the errors does not exceed. */
export function latencyOfPercentile(percentile: number, ratePerMs: number): number {
  requireOpenUnit('the percentile', percentile);
  requirePositive('the latency rate (per ms)', ratePerMs);
  return -Math.log1p(-percentile) / ratePerMs;
}

/**
 * The inverse of {@link exponentialCorruption}: the interval, in ms, at which the probability is `target`.
 *
 * ln P is convex and falls in x = λ T, so Newton's method from the left of the root never overshoots; ln P >= -(k -
 * 1/2) x gives such a point.
 */
export function intervalOfCorruption(target: number, ratePerMs: number, retained: number): number {
  requireOpenUnit('the target probability', target);
  requirePositive('the latency rate (per ms)', ratePerMs);
  requireCount('the number of retained checkpoints', retained);
  const logTarget = Math.log(target);
  let x = -logTarget / (retained - 0.5);
  for (let step = 0; step < 200; step++) {
    const slope = (x < 1e-4 ? -0.5 + x / 12 : 1 / Math.expm1(x) - 1 / x) - (retained - 1);
    const change = (logTarget - (logMeanSurvival(x) - (retained - 1) * x)) / slope;
    x += change;
    if (Math.abs(change) <= 1e-15 * x) break;
  }
  return x / ratePerMs;
}

/** The smallest history with which the probability of corruption is at most `target`. */
export function retainedOfCorruption(target: number, ratePerMs: number, intervalMs: number): number {
  requireOpenUnit('the target probability', target);
  const logTarget = Math.log(target);
  const logSingle = logExponentialCorruption(ratePerMs, intervalMs, 1);
  const least = Math.max(1, 1 + Math.ceil((logSingle - logTarget) / (ratePerMs * intervalMs) - 1e-12));
  requireCount('the number of retained checkpoints that this target asks for', least);
  return logExponentialCorruption(ratePerMs, intervalMs, least) <= logTarget ? least : least + 1;
}
