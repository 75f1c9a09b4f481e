import { requirePositive } from '../errors.js';
import { gammaQuantile } from '../numerics/incompleteGamma.js';
import type { Estimate } from '../numerics/interval.js';
import { estimateCure } from './cureModel.js';
import { fitFamily, type Fitted, type LatencyFamily, lawOf } from './latencyFamily.js';
import { fixedLatency, type LatencyDistribution, mixedLatency } from './latencyDistribution.js';
import { fittable, type LatencySample, type SortedSamples, sortSamples } from './latencySample.js';

export interface LatencyFit {
  readonly family: LatencyFamily;
  /** `ratePerMs`, or `shape` and `scaleMs`, or `logMean` and `logDeviation`. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The distribution of the latency of the errors that are detected some day. */
  readonly detected: LatencyDistribution;
  /** The same, with the share of errors that are never detected. */
  readonly all: LatencyDistribution;
  /** The share of errors that are never detected: the known ones, or an estimate. */
  readonly undetected: number;
  readonly logLikelihood: number;
  /** Akaike's criterion, 2 p - 2 ln L: the lower, the better. */
  readonly akaike: number;
}

export interface FitOptions {
  /**
   * Which errors are never detected: `known`, those that the samples say so of, so that every right-censored error
   * would be detected some day (§4, assumption i); or `estimated`, a share among the right-censored ones besides (a
   * cure model). Default: `known`.
   */
  readonly undetected?: 'known' | 'estimated';
}

/**
 * λ by maximum likelihood, d / (Σ l + Σ c) over the d detected errors and the right-censored ones, with the interval
 * that is exact without censoring: 2 λ Σ is chi-square with 2 d degrees of freedom. Errors that are known never to be
 * detected say nothing of λ.
 */
export function fitRate(samples: readonly LatencySample[], confidence = 0.95): Estimate {
  const { detectedMs, censoredMs } = fittable(sortSamples(samples));
  const sum = detectedMs.reduce((a, b) => a + b, 0) + censoredMs.reduce((a, b) => a + b, 0);
  const n = detectedMs.length;
  requirePositive('the rate fitted to the latencies (per ms)', n / sum);
  const tail = (1 - confidence) / 2;
  return {
    value: n / sum,
    low: gammaQuantile(n, tail) / sum,
    high: gammaQuantile(n, 1 - tail) / sum,
    confidence,
  };
}

/**
 * The member of `family` that maximises the likelihood of the samples, right-censored ones included.
 *
 * Throws RMK_ERR_INPUT if no error was detected, or if the family has no density for the samples (a latency of zero, or
 * latencies that are all equal, in a Weibull or log-normal fit).
 */
export function fitLatency(
  family: LatencyFamily,
  samples: readonly LatencySample[],
  { undetected = 'known' }: FitOptions = {},
): LatencyFit {
  const sorted = fittable(sortSamples(samples));
  if (undetected === 'estimated') {
    const { fitted, share, logLikelihood } = estimateCure(family, sorted);
    return assemble(family, fitted, share, logLikelihood, 1);
  }
  const fitted = fitFamily(family, { timesMs: sorted.detectedMs }, { timesMs: sorted.censoredMs });
  const known = sorted.never / sorted.count;
  return assemble(family, fitted, known, fitted.logLikelihood + shareLikelihood(sorted), known > 0 ? 1 : 0);
}

function assemble(
  family: LatencyFamily,
  { parameters }: Fitted,
  undetected: number,
  logLikelihood: number,
  more: number,
): LatencyFit {
  const detected = lawOf(family, parameters);
  const all =
    undetected === 0
      ? detected
      : mixedLatency([
          { share: 1 - undetected, latency: detected },
          { share: undetected, latency: fixedLatency(Infinity) },
        ]);
  const count = Object.keys(parameters).length + more;
  return {
    family,
    parameters,
    detected,
    all,
    undetected,
    logLikelihood,
    akaike: 2 * count - 2 * logLikelihood,
  };
}

/** ln of the likelihood that as many errors are never detected as are known to be. */
function shareLikelihood({ never, count }: SortedSamples): number {
  if (never === 0) return 0;
  return never * Math.log(never / count) + (count - never) * Math.log1p(-never / count);
}
