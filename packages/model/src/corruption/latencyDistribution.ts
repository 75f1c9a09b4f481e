import { ModelError, requireCount, requirePositive } from '../errors.js';
import { integrate } from '../numerics/integrate.js';
import { normalSurvival, normalUpperQuantile } from '../numerics/normal.js';
import { exponentialVariate, type Random } from '../numerics/random.js';
import { exponentialRuleCorruption } from './exponentialCorruption.js';

/**
 * A distribution of the corruption latency l, from the error (injection) to its detection, in ms.
 *
 * The error's offset a is uniform on [0, T_ck) and independent of l (§4, assumption ii). So the rollback target, the
 * newest checkpoint that is at least T_B old at detection, has an age that is uniform on [T_B, T_B + T_ck), and it is
 * clean if l does not exceed that age.
 */
export interface LatencyDistribution {
  readonly name: string;
  /** The distribution with its parameters, for people. */
  readonly description: string;
  /** P(l > latencyMs). */
  survival(latencyMs: number): number;
  /**
   * The probability that a checkpoint whose age is uniform on [fromMs, fromMs + widthMs) is corrupted: the mean of P(l
   * > u) over these ages. With the bound T_B and the interval T_ck it is that of the rule's rollback target.
   */
  corruptionFrom(fromMs: number, widthMs: number): number;
  /**
   * E[age; the checkpoint is clean], in ms, for the same ages: the mean of u P(l <= u). Divided by 1 - corruptionFrom
   * it is the mean age of a target that a rollback succeeds with.
   */
  cleanAgeFrom(fromMs: number, widthMs: number): number;
  /**
   * {@link corruptionFrom} of the oldest of `retained` checkpoints, which is the rule's target for T_B = (k-1) T_ck.
   */
  corruption(intervalMs: number, retained: number): number;
  /** {@link cleanAgeFrom} of the oldest of `retained` checkpoints. */
  cleanAge(intervalMs: number, retained: number): number;
  sample(random: Random): number;
}

/** Adds to a distribution what follows for the oldest of k checkpoints, and checks the ages. */
export function complete(law: Omit<LatencyDistribution, 'corruption' | 'cleanAge'>): LatencyDistribution {
  const corruptionFrom = (fromMs: number, widthMs: number): number => {
    checkAges(fromMs, widthMs);
    return Math.min(1, law.corruptionFrom(fromMs, widthMs));
  };
  const cleanAgeFrom = (fromMs: number, widthMs: number): number => {
    checkAges(fromMs, widthMs);
    return law.cleanAgeFrom(fromMs, widthMs);
  };
  const oldest = (intervalMs: number, retained: number): number => {
    requireCount('the number of retained checkpoints', retained);
    return (retained - 1) * intervalMs;
  };
  return {
    ...law,
    corruptionFrom,
    cleanAgeFrom,
    corruption: (intervalMs, retained) => corruptionFrom(oldest(intervalMs, retained), intervalMs),
    cleanAge: (intervalMs, retained) => cleanAgeFrom(oldest(intervalMs, retained), intervalMs),
  };
}

function checkAges(fromMs: number, widthMs: number): void {
  requirePositive('the checkpoint interval (ms)', widthMs);
  if (!(fromMs >= 0 && fromMs < Infinity)) {
    throw new ModelError('RMK_ERR_INPUT', `the latency bound (ms) must be zero or more, not ${fromMs}`);
  }
}

interface Continuous {
  survival(latencyMs: number): number;
  distribution(latencyMs: number): number;
  /** The latency that is exceeded with a probability of e^`logSurvival`. */
  exceededWith(logSurvival: number): number;
}

/** Where P(l > u) falls, given that it is already down to P(l > from). */
const FALLS = [0.999, 0.9, 0.5, 0.1, 1e-2, 1e-4, 1e-8, 1e-16].map((share) => Math.log(share));

function integrals(l: Continuous): Pick<LatencyDistribution, 'corruptionFrom' | 'cleanAgeFrom'> {
  const mean = (f: (u: number) => number, fromMs: number, widthMs: number) => {
    const logStart = Math.log(l.survival(fromMs));
    const breaks = logStart === -Infinity ? [] : FALLS.map((fall) => l.exceededWith(logStart + fall));
    return integrate(f, fromMs, fromMs + widthMs, { breaks }) / widthMs;
  };
  return {
    corruptionFrom: (fromMs, widthMs) => mean((u) => l.survival(u), fromMs, widthMs),
    cleanAgeFrom: (fromMs, widthMs) => mean((u) => u * l.distribution(u), fromMs, widthMs),
  };
}

/** §4, assumption iii. */
export function exponentialLatency(ratePerMs: number): LatencyDistribution {
  requirePositive('the latency rate (per ms)', ratePerMs);
  const law: Continuous = {
    survival: (u) => Math.exp(-ratePerMs * u),
    distribution: (u) => -Math.expm1(-ratePerMs * u),
    exceededWith: (logSurvival) => -logSurvival / ratePerMs,
  };
  return complete({
    name: 'exponential',
    description: `exponential, rate ${ratePerMs} per ms`,
    survival: (latencyMs) => (latencyMs <= 0 ? 1 : law.survival(latencyMs)),
    cleanAgeFrom: integrals(law).cleanAgeFrom,
    corruptionFrom: (fromMs, widthMs) => exponentialRuleCorruption(ratePerMs, widthMs, fromMs),
    sample: (random) => exponentialVariate(random, ratePerMs),
  });
}

/** P(l > u) = e^(-(u / scale)^shape). A shape below 1 has the long tail that fault injection shows. */
export function weibullLatency(shape: number, scaleMs: number): LatencyDistribution {
  requirePositive('the shape of the Weibull distribution', shape);
  requirePositive('the scale of the Weibull distribution (ms)', scaleMs);
  const law: Continuous = {
    survival: (u) => Math.exp(-((u / scaleMs) ** shape)),
    distribution: (u) => -Math.expm1(-((u / scaleMs) ** shape)),
    exceededWith: (logSurvival) => scaleMs * (-logSurvival) ** (1 / shape),
  };
  return complete({
    name: 'weibull',
    description: `Weibull, shape ${shape}, scale ${scaleMs} ms`,
    survival: (latencyMs) => (latencyMs <= 0 ? 1 : law.survival(latencyMs)),
    ...integrals(law),
    sample: (random) => law.exceededWith(Math.log1p(-random())),
  });
}

/** ln l is normal with mean `logMean` (of the latency in ms) and standard deviation `logDeviation`. */
export function logNormalLatency(logMean: number, logDeviation: number): LatencyDistribution {
  if (!Number.isFinite(logMean)) {
    throw new ModelError('RMK_ERR_INPUT', `the mean of the logarithm must be finite, not ${logMean}`);
  }
  requirePositive('the standard deviation of the logarithm', logDeviation);
  const score = (u: number) => (Math.log(u) - logMean) / logDeviation;
  const law: Continuous = {
    survival: (u) => normalSurvival(score(u)),
    distribution: (u) => normalSurvival(-score(u)),
    exceededWith: (logSurvival) =>
      Math.exp(logMean + logDeviation * normalUpperQuantile(Math.exp(logSurvival))),
  };
  return complete({
    name: 'log-normal',
    description: `log-normal, mean of ln(ms) ${logMean}, standard deviation ${logDeviation}`,
    survival: (latencyMs) => (latencyMs <= 0 ? 1 : law.survival(latencyMs)),
    ...integrals(law),
    // Box and Muller's method; 1 - u keeps the logarithm finite.
    sample: (random) =>
      Math.exp(
        logMean + logDeviation * Math.sqrt(-2 * Math.log1p(-random())) * Math.cos(2 * Math.PI * random()),
      ),
  });
}

/** Always detected after the same time, as a hang is by a threshold; `Infinity` for an error that is never detected. */
export function fixedLatency(latencyMs: number): LatencyDistribution {
  if (!(latencyMs >= 0)) {
    throw new ModelError('RMK_ERR_INPUT', `a detection latency must not be negative, not ${latencyMs} ms`);
  }
  return complete({
    name: 'fixed',
    description: latencyMs === Infinity ? 'never detected' : `detected after ${latencyMs} ms`,
    survival: (x) => (latencyMs > x ? 1 : 0),
    corruptionFrom: (fromMs, widthMs) => clip((latencyMs - fromMs) / widthMs),
    cleanAgeFrom: (fromMs, widthMs) => cleanAgeOf(latencyMs, fromMs, widthMs),
    sample: () => latencyMs,
  });
}

/** Failure classes: an error is of class i with probability `share`, and has that class's latency. */
export function mixedLatency(
  classes: readonly { readonly share: number; readonly latency: LatencyDistribution }[],
): LatencyDistribution {
  const total = classes.reduce((sum, { share }) => sum + share, 0);
  if (classes.some(({ share }) => !(share >= 0)) || !(Math.abs(total - 1) < 1e-9)) {
    throw new ModelError('RMK_ERR_INPUT', `the shares of the failure classes must sum to 1, not ${total}`);
  }
  const mix = (value: (latency: LatencyDistribution) => number) =>
    classes.reduce((sum, { share, latency }) => (share === 0 ? sum : sum + share * value(latency)), 0);
  return complete({
    name: 'mixed',
    description: classes.map(({ share, latency }) => `${share} × (${latency.description})`).join(' + '),
    survival: (latencyMs) => mix((latency) => latency.survival(latencyMs)),
    corruptionFrom: (fromMs, widthMs) => mix((latency) => latency.corruptionFrom(fromMs, widthMs)),
    cleanAgeFrom: (fromMs, widthMs) => mix((latency) => latency.cleanAgeFrom(fromMs, widthMs)),
    sample: (random) => {
      let left = random();
      for (const { share, latency } of classes) {
        if (left < share) return latency.sample(random);
        left -= share;
      }
      return (classes.at(-1) as (typeof classes)[number]).latency.sample(random);
    },
  });
}

/** The number, brought into [0, 1]. */
export function clip(x: number): number {
  return Math.min(1, Math.max(0, x));
}

/** E[age; age >= l] for an age that is uniform on [from, from + width). */
function cleanAgeOf(latencyMs: number, fromMs: number, widthMs: number): number {
  const least = Math.max(latencyMs, fromMs);
  const most = fromMs + widthMs;
  return least >= most ? 0 : (most * most - least * least) / (2 * widthMs);
}
