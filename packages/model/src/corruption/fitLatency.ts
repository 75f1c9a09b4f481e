import { ModelError, requirePositive } from '../errors.js';
import { gammaQuantile } from '../numerics/incompleteGamma.js';
import type { Estimate } from '../numerics/interval.js';
import {
  exponentialLatency,
  fixedLatency,
  type LatencyDistribution,
  logNormalLatency,
  mixedLatency,
  weibullLatency,
} from './latencyDistribution.js';

/** The families that latencies are fitted with. */
export type LatencyFamily = 'exponential' | 'weibull' | 'log-normal';

export interface LatencyFit {
  readonly family: LatencyFamily;
  /** `ratePerMs`, or `shape` and `scaleMs`, or `logMean` and `logDeviation`. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The distribution of the detected errors' latency. */
  readonly detected: LatencyDistribution;
  /** The same, with the share of errors that were never detected. */
  readonly all: LatencyDistribution;
  readonly logLikelihood: number;
  /** Akaike's criterion, 2 p - 2 ln L: the lower, the better. */
  readonly akaike: number;
}

function detectedOf(latenciesMs: readonly number[]): readonly number[] {
  const detected = latenciesMs.filter((l) => l < Infinity);
  if (detected.length === 0) {
    throw new ModelError('RMK_ERR_INPUT', 'none of the errors was ever detected: there is no latency to fit');
  }
  if (detected.every((l) => l === 0)) {
    throw new ModelError('RMK_ERR_INPUT', 'all latencies are zero: measure them at a finer resolution');
  }
  return detected;
}

/**
 * λ by maximum likelihood, n / Σ l over the detected errors, with its exact interval: 2 λ Σ l is chi-square with 2 n degrees of
 * freedom. Errors that were never detected tell nothing about λ; they are a class of their own.
 */
export function fitRate(latenciesMs: readonly number[], confidence = 0.95): Estimate {
  const detected = detectedOf(latenciesMs);
  const sum = detected.reduce((total, l) => total + l, 0);
  requirePositive('the rate fitted to the latencies (per ms)', detected.length / sum);
  const tail = (1 - confidence) / 2;
  const n = detected.length;
  return {
    value: n / sum,
    low: gammaQuantile(n, tail) / sum,
    high: gammaQuantile(n, 1 - tail) / sum,
    confidence,
  };
}

/**
 * The member of `family` that maximises the likelihood of the detected latencies.
 *
 * @throws ModelError when no error was detected, or when the family has no density for the samples (a latency of zero, or
 * latencies that are all equal, in a Weibull or log-normal fit).
 */
export function fitLatency(family: LatencyFamily, latenciesMs: readonly number[]): LatencyFit {
  const detected = detectedOf(latenciesMs);
  const fitted = family === 'exponential' ? fitExponential(detected) : fitTwoParameters(family, detected);
  const count = Object.keys(fitted.parameters).length;
  const never = 1 - detected.length / latenciesMs.length;
  const all =
    never === 0
      ? fitted.detected
      : mixedLatency([
          { share: 1 - never, latency: fitted.detected },
          { share: never, latency: fixedLatency(Infinity) },
        ]);
  return { family, ...fitted, all, akaike: 2 * count - 2 * fitted.logLikelihood };
}

type Fitted = Pick<LatencyFit, 'parameters' | 'detected' | 'logLikelihood'>;

function fitExponential(detected: readonly number[]): Fitted {
  const ratePerMs = fitRate(detected).value;
  return {
    parameters: { ratePerMs },
    detected: exponentialLatency(ratePerMs),
    logLikelihood: detected.length * (Math.log(ratePerMs) - 1),
  };
}

function fitTwoParameters(family: 'weibull' | 'log-normal', detected: readonly number[]): Fitted {
  if (detected.some((l) => l === 0)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `a ${family} distribution cannot be fitted to latencies of zero: measure them at a finer resolution`,
    );
  }
  const logs = detected.map((l) => Math.log(l));
  const n = logs.length;
  const logMean = logs.reduce((sum, x) => sum + x, 0) / n;
  const variance = logs.reduce((sum, x) => sum + (x - logMean) ** 2, 0) / n;
  // Below this the latencies differ by rounding only, and a shape would be fitted to that.
  if (!(variance > 1e-18)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `a ${family} distribution cannot be fitted to latencies that are all equal`,
    );
  }
  return family === 'weibull' ? fitWeibull(logs, logMean, variance) : fitLogNormal(logs, logMean, variance);
}

function fitLogNormal(logs: readonly number[], logMean: number, variance: number): Fitted {
  const logDeviation = Math.sqrt(variance);
  const n = logs.length;
  return {
    parameters: { logMean, logDeviation },
    detected: logNormalLatency(logMean, logDeviation),
    logLikelihood: -n * (logMean + 0.5 * Math.log(2 * Math.PI * variance) + 0.5),
  };
}

/** Newton's method on the profile likelihood of the shape, in latencies scaled by their geometric mean. */
function fitWeibull(logs: readonly number[], logMean: number, variance: number): Fitted {
  const n = logs.length;
  // The logarithm of a Weibull variate has the standard deviation π / (√6 shape).
  let shape = Math.PI / Math.sqrt(6 * variance);
  let sum0 = 0;
  for (let step = 0; step < 100; step++) {
    sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    for (const log of logs) {
      const x = log - logMean;
      const power = Math.exp(shape * x);
      sum0 += power;
      sum1 += power * x;
      sum2 += power * x * x;
    }
    const score = 1 / shape - sum1 / sum0;
    const slope = -1 / (shape * shape) - (sum2 / sum0 - (sum1 / sum0) ** 2);
    const next = Math.max(shape / 2, shape - score / slope);
    const done = Math.abs(next - shape) <= 1e-13 * shape;
    shape = next;
    if (done) break;
  }
  sum0 = logs.reduce((sum, log) => sum + Math.exp(shape * (log - logMean)), 0);
  const logScale = logMean + Math.log(sum0 / n) / shape;
  const scaleMs = Math.exp(logScale);
  return {
    parameters: { shape, scaleMs },
    detected: weibullLatency(shape, scaleMs),
    logLikelihood: n * (Math.log(shape) - shape * logScale + (shape - 1) * logMean - 1),
  };
}
