import { type Estimate, proportion } from '../numerics/interval.js';
import { normalHalfWidth } from '../numerics/normal.js';
import { fitFamily, type Fitted, type LatencyFamily, lawOf, type Weighted } from './latencyFamily.js';
import { distinct, fittable, type LatencySample, type SortedSamples, sortSamples } from './latencySample.js';

/** A mixture of errors that are detected some day and errors that never are, fitted to samples. */
export interface CureFit {
  readonly fitted: Fitted;
  /** The share that is never detected. */
  readonly share: number;
  /** Of all samples. */
  readonly logLikelihood: number;
}

/**
 * The most distinct latencies that the repeated fits of an interval go through. More are put together into so many
 * groups.
 */
const MOST_DISTINCT = 1000;
const MOST_STEPS = 2000;

/**
 * The likeliest cure model: with a share π of errors that are never detected, a sample censored at c has the likelihood
 * π + (1 - π) P(l > c). By an EM iteration: how likely each censored error is to be detected some day, then π and the
 * latency.
 */
export function estimateCure(
  family: LatencyFamily,
  samples: SortedSamples,
  { start, leastGain }: Iteration = {},
): CureFit {
  const data = { ...samples, detected: { timesMs: samples.detectedMs } };
  return maximise(family, data, undefined, start, leastGain);
}

export interface Iteration {
  /** Where to begin. Default: the fit in which every error is detected some day. */
  readonly start?: Fitted;
  /** A step that gains less log-likelihood is the last. Default: 1e-9. */
  readonly leastGain?: number;
}

/**
 * The share of errors that are never detected, with the interval of the likelihood ratio: all shares with which the
 * best fit of the family is not unlikely. Without right-censored samples it is the known share, with Wilson's interval.
 */
export function cureShare(
  family: LatencyFamily,
  samples: readonly LatencySample[],
  confidence = 0.95,
): Estimate {
  const sorted = fittable(sortSamples(samples));
  if (sorted.censoredMs.length === 0) return proportion(sorted.never, sorted.count, confidence);
  const data = { ...sorted, detected: put(sorted.detectedMs) };
  const best = maximise(family, data);
  const least = best.logLikelihood - normalHalfWidth(confidence) ** 2 / 2;
  const likelyWith = (share: number) => maximise(family, data, share, best.fitted).logLikelihood >= least;
  const boundary = (unlikely: number): number => {
    let [inside, outside] = [best.share, unlikely];
    while (Math.abs(outside - inside) > 1e-5) {
      const middle = (inside + outside) / 2;
      if (likelyWith(middle)) inside = middle;
      else outside = middle;
    }
    return inside;
  };
  const none = sorted.never === 0 && likelyWith(0);
  return { value: best.share, low: none ? 0 : boundary(0), high: boundary(1), confidence };
}

interface CureData extends SortedSamples {
  readonly detected: Weighted;
}

/** The likeliest latency, and the likeliest share unless it is given. */
function maximise(
  family: LatencyFamily,
  data: CureData,
  fixed?: number,
  start?: Fitted,
  leastGain = 1e-9,
): CureFit {
  const { detected, detectedMs, censoredMs, never, count } = data;
  const { timesMs, weights: counts } = distinct(censoredMs);
  const weights = Float64Array.from(counts);
  let fitted = start ?? fitFamily(family, detected, { timesMs, weights });
  let share = fixed ?? (never + censoredMs.length / 2) / count;
  let logLikelihood = -Infinity;
  for (let step = 0; step < MOST_STEPS; step++) {
    const law = lawOf(family, fitted.parameters);
    let undetected = never;
    let reached = never === 0 ? 0 : never * Math.log(share);
    for (let j = 0; j < timesMs.length; j++) {
      const later = (1 - share) * law.survival(timesMs[j] as number);
      const chance = share + later === 0 ? 1 : later / (share + later);
      const seen = counts[j] as number;
      weights[j] = seen * chance;
      undetected += seen * (1 - chance);
      reached += seen * Math.log(share + later);
    }
    reached += detectedMs.length * Math.log1p(-share) + densities(family, fitted, detected);
    const gain = reached - logLikelihood;
    logLikelihood = reached;
    if (step > 0 && gain <= leastGain) break;
    if (fixed === undefined) share = undetected / count;
    fitted = fitFamily(family, detected, { timesMs, weights }, fitted.parameters);
  }
  return { fitted, share, logLikelihood };
}

/** The sum of the logarithms of the densities at the detected latencies. */
function densities(family: LatencyFamily, { parameters }: Fitted, { timesMs, weights }: Weighted): number {
  const { ratePerMs = 0, shape = 0, scaleMs = 0, logMean = 0, logDeviation = 0 } = parameters;
  const density = {
    exponential: (l: number) => Math.log(ratePerMs) - ratePerMs * l,
    weibull: (l: number) =>
      Math.log(shape / scaleMs) + (shape - 1) * Math.log(l / scaleMs) - (l / scaleMs) ** shape,
    'log-normal': (l: number) =>
      -Math.log(l * logDeviation * Math.sqrt(2 * Math.PI)) -
      ((Math.log(l) - logMean) / logDeviation) ** 2 / 2,
  }[family];
  let sum = 0;
  for (let i = 0; i < timesMs.length; i++) sum += (weights?.[i] ?? 1) * density(timesMs[i] as number);
  return sum;
}

/** Sorted latencies, put together into groups of their geometric mean where there are too many. */
function put(sortedMs: Float64Array): Weighted {
  if (sortedMs.length <= MOST_DISTINCT) return { timesMs: sortedMs };
  const edges = Array.from({ length: MOST_DISTINCT + 1 }, (_, i) =>
    Math.round((i * sortedMs.length) / MOST_DISTINCT),
  );
  const groups = edges.slice(1).map((end, i) => sortedMs.subarray(edges[i], end));
  return {
    timesMs: groups.map((group) => Math.exp(group.reduce((sum, l) => sum + Math.log(l), 0) / group.length)),
    weights: groups.map((group) => group.length),
  };
}
