import { ModelError, requirePositive } from '../errors.js';
import { normalSurvival } from '../numerics/normal.js';
import {
  exponentialLatency,
  type LatencyDistribution,
  logNormalLatency,
  weibullLatency,
} from './latencyDistribution.js';

/** The families that latencies are fitted with. */
export type LatencyFamily = 'exponential' | 'weibull' | 'log-normal';
export const LATENCY_FAMILIES: readonly LatencyFamily[] = ['exponential', 'weibull', 'log-normal'];

/** Latencies, or how long right-censored errors were watched, and how much each counts (default: 1). */
export interface Weighted {
  readonly timesMs: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
}

export interface Fitted {
  readonly parameters: Readonly<Record<string, number>>;
  /** Over detected and censored samples. */
  readonly logLikelihood: number;
}

/** The distribution of the family with these parameters. */
export function lawOf(family: LatencyFamily, parameters: Fitted['parameters']): LatencyDistribution {
  const { ratePerMs = 0, shape = 0, scaleMs = 0, logMean = 0, logDeviation = 0 } = parameters;
  if (family === 'exponential') return exponentialLatency(ratePerMs);
  return family === 'weibull' ? weibullLatency(shape, scaleMs) : logNormalLatency(logMean, logDeviation);
}

/** The maximum-likelihood member of the family, with right-censored samples that may count in part. */
export function fitFamily(
  family: LatencyFamily,
  detected: Weighted,
  censored: Weighted,
  start?: Fitted['parameters'],
): Fitted {
  if (family === 'exponential') return fitExponential(detected, censored);
  const seen = logarithms(detected);
  const n = seen.weights.reduce((sum, weight) => sum + weight, 0);
  const mean = (value: (log: number) => number) =>
    seen.logs.reduce((sum, log, i) => sum + (seen.weights[i] as number) * value(log), 0) / n;
  const logMean = mean((log) => log);
  if (logMean === -Infinity) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `a ${family} distribution cannot be fitted to latencies of zero: measure them at a finer resolution`,
    );
  }
  const variance = mean((log) => (log - logMean) ** 2);
  // Below this the latencies differ by rounding only, and a shape would be fitted to that.
  if (!(variance > 1e-18)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `a ${family} distribution cannot be fitted to latencies that are all equal`,
    );
  }
  const watched = logarithms(censored);
  return family === 'weibull'
    ? fitWeibull(seen, n, logMean, variance, watched, start?.['shape'])
    : fitLogNormal(n, logMean, variance, watched, start);
}

interface Logarithms {
  readonly logs: Float64Array;
  readonly weights: Float64Array;
}

/** The logarithms of the times. An error that was censored at once says nothing; a latency of zero has no logarithm. */
function logarithms({ timesMs, weights }: Weighted): Logarithms {
  return {
    logs: Float64Array.from(timesMs, Math.log),
    weights: Float64Array.from(timesMs, (_, i) => weights?.[i] ?? 1),
  };
}

function fitExponential(detected: Weighted, censored: Weighted): Fitted {
  const total = ({ timesMs, weights }: Weighted, of: (time: number) => number) => {
    let sum = 0;
    for (let i = 0; i < timesMs.length; i++) sum += of(timesMs[i] as number) * (weights?.[i] ?? 1);
    return sum;
  };
  const n = total(detected, () => 1);
  const ratePerMs = n / (total(detected, (l) => l) + total(censored, (l) => l));
  requirePositive('the rate fitted to the latencies (per ms)', ratePerMs);
  return { parameters: { ratePerMs }, logLikelihood: n * (Math.log(ratePerMs) - 1) };
}

/** Newton's method on the profile likelihood of the shape, in latencies scaled by their geometric mean. */
function fitWeibull(
  seen: Logarithms,
  n: number,
  logMean: number,
  variance: number,
  watched: Logarithms,
  start?: number,
): Fitted {
  const sums = (shape: number) => {
    let [zero, one, two] = [0, 0, 0];
    for (const { logs, weights } of [seen, watched]) {
      for (let i = 0; i < logs.length; i++) {
        const x = (logs[i] as number) - logMean;
        // A sample that was censored at once has a logarithm of -Infinity, and says nothing.
        if (x === -Infinity) continue;
        const power = (weights[i] as number) * Math.exp(shape * x);
        zero += power;
        one += power * x;
        two += power * x * x;
      }
    }
    return { zero, one, two };
  };
  // The logarithm of a Weibull variate has the standard deviation π / (√6 shape).
  let shape = start ?? Math.PI / Math.sqrt(6 * variance);
  for (let step = 0; step < 100; step++) {
    const { zero, one, two } = sums(shape);
    const score = 1 / shape - one / zero;
    const slope = -1 / (shape * shape) - (two / zero - (one / zero) ** 2);
    const next = Math.max(shape / 2, shape - score / slope);
    const done = Math.abs(next - shape) <= 1e-13 * shape;
    shape = next;
    if (done) break;
  }
  const logScale = logMean + Math.log(sums(shape).zero / n) / shape;
  return {
    parameters: { shape, scaleMs: Math.exp(logScale) },
    logLikelihood: n * (Math.log(shape) - shape * logScale + (shape - 1) * logMean - 1),
  };
}

/** The closed form, or with censored samples an EM iteration over what their logarithms would have been. */
function fitLogNormal(
  n: number,
  centre: number,
  spread: number,
  watched: Logarithms,
  start: Fitted['parameters'] = {},
): Fitted {
  let mean = start['logMean'] === undefined ? 0 : start['logMean'] - centre;
  let deviation = start['logDeviation'] ?? Math.sqrt(spread);
  const scoreOf = (i: number) => ((watched.logs[i] as number) - centre - mean) / deviation;
  for (let step = 0; step < 10_000; step++) {
    let total = n;
    let first = 0;
    let second = n * spread;
    for (let i = 0; i < watched.logs.length; i++) {
      const z = scoreOf(i);
      if (z === -Infinity) continue;
      const weight = watched.weights[i] as number;
      const hazard = normalHazard(z);
      total += weight;
      first += weight * (mean + deviation * hazard);
      second += weight * (mean ** 2 + 2 * mean * deviation * hazard + deviation ** 2 * (1 + z * hazard));
    }
    const nextMean = first / total;
    const next = Math.sqrt(second / total - nextMean * nextMean);
    const done = Math.abs(nextMean - mean) + Math.abs(next - deviation) <= 1e-13 * next;
    [mean, deviation] = [nextMean, next];
    if (done) break;
  }
  let logLikelihood =
    (-n * (spread + mean * mean)) / (2 * deviation * deviation) -
    n * (centre + Math.log(deviation) + 0.5 * Math.log(2 * Math.PI));
  for (let i = 0; i < watched.logs.length; i++) {
    logLikelihood += (watched.weights[i] as number) * Math.log(normalSurvival(scoreOf(i)));
  }
  return { parameters: { logMean: centre + mean, logDeviation: deviation }, logLikelihood };
}

/** The density of the standard normal distribution at z, over its survival. */
function normalHazard(z: number): number {
  // Beyond this the survival underflows, and the first terms of the asymptotic series have all digits that count.
  if (z > 30) return z + 1 / z - 2 / z ** 3;
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI) / normalSurvival(z);
}
