import { ModelError } from '../errors.js';
import { type Random, seededRandom } from '../numerics/random.js';
import { estimateCure } from './cureModel.js';
import type { FitOptions } from './fitLatency.js';
import type { LatencyDistribution } from './latencyDistribution.js';
import { fitFamily, type Fitted, type LatencyFamily, lawOf } from './latencyFamily.js';
import { type LatencySample, type SortedSamples, sortSamples } from './latencySample.js';

export interface GoodnessOfFit {
  readonly test: 'Anderson-Darling';
  readonly statistic: number;
  /** The share of samples drawn from the fitted distribution, and fitted again, that fit no better. */
  readonly pValue: number;
  readonly replications: number;
  /** How many samples were tested: all, or so many drawn from them at random. */
  readonly tested: number;
}

export interface GoodnessOptions extends FitOptions {
  /** How often a sample is drawn and fitted. Default: 999, fewer for many samples, and never fewer than 99. */
  readonly replications?: number;
  /**
   * The most samples to test. More are thinned to so many at random, which keeps the test sound and costs it power.
   * Default: 10 000, and 1000 where the share that is never detected is estimated, since each such fit is an iteration.
   */
  readonly atMost?: number;
  readonly seed?: number;
  /** Called now and then with the share that is done. */
  readonly progress?: (share: number) => void;
}

/** Samples times replications, at most: some seconds. */
const BUDGET = 2_000_000;
const LEAST_REPLICATIONS = 99;
/** How many times as long as a plain fit one takes that estimates the share of errors that are never detected. */
const CURE_COST = 20;
const LEAST_GAIN = 1e-5;

/**
 * Anderson and Darling's test of the hypothesis that the detected latencies come from `family`, its parameters
 * estimated from the same samples. Tables hold for known parameters only, so the p-value comes from a parametric
 * bootstrap that fits each drawn sample again. A small p-value says that the family is wrong; a large one only that
 * this many samples do not show it.
 *
 * Right-censored samples are taken into account where all were watched equally long, and no less than the longest
 * detected latency: the detected ones then come from the family cut off there. A share of errors that are never
 * detected does not change that law, only how it is fitted; with `undetected: 'estimated'` each drawn sample has the
 * estimated share, and is fitted with a share of its own.
 *
 * Undefined with fewer than 5 detected latencies, where there is nothing to test, with latencies of zero, which no
 * family here ever gives (so the clock is too coarse, not the family wrong), and with errors that were watched for
 * different times: which window an error had that was detected is not known, so no sample can be drawn like it.
 */
export function goodnessOfFit(
  family: LatencyFamily,
  samples: readonly LatencySample[],
  { replications = 999, undetected = 'known', atMost, seed = 1, progress }: GoodnessOptions = {},
): GoodnessOfFit | undefined {
  const random = seededRandom(seed);
  const isCure = undetected === 'estimated';
  // Errors that are known never to be detected say nothing of the latency, but something of the share.
  const relevant = isCure ? samples : samples.filter((sample) => sample !== Infinity);
  const tested = thinned(relevant, atMost ?? (isCure ? 1000 : 10_000), random);
  if (tested.length === 0) return undefined;
  const sorted = sortSamples(tested);
  const { detectedMs, censoredMs, never, count: size } = sorted;
  if (detectedMs.length < 5 || detectedMs[0] === 0) return undefined;
  const window = censoredMs.at(-1) ?? Infinity;
  if (censoredMs.length > 0 && (censoredMs[0] !== window || (detectedMs.at(-1) as number) > window))
    return undefined;

  let fit = isCure ? cureFitter() : fitPlain;
  const { law, share, fitted } = fit(family, sorted);
  if (isCure) fit = cureFitter(fitted);
  const statistic = andersonDarling(detectedMs, law, window);
  const cost = tested.length * (isCure ? CURE_COST : 1);
  const count = Math.max(LEAST_REPLICATIONS, Math.min(replications, Math.floor(BUDGET / cost)));
  // Of the errors that are not known to be undetected, so many are.
  const hidden = isCure ? (share * size - never) / (size - never) : 0;
  const draw = () => {
    if (hidden > 0 && random() < hidden) return Infinity;
    return Math.max(Number.MIN_VALUE, law.sample(random));
  };
  const drawn = new Float64Array(size - never);
  let asBad = 0;
  let reported = 0;
  for (let replication = 0; replication < count; replication++) {
    for (let i = 0; i < drawn.length; i++) drawn[i] = draw();
    if (asFarOff(family, fit, drawn.toSorted(), window, never) >= statistic) asBad++;
    if (progress !== undefined && replication / count - reported >= 0.25) {
      reported = replication / count;
      progress(reported);
    }
  }
  return {
    test: 'Anderson-Darling',
    statistic,
    pValue: (asBad + 1) / (count + 1),
    replications: count,
    tested: tested.length,
  };
}

/** So many of the samples at most, drawn at random. */
function thinned(
  samples: readonly LatencySample[],
  atMost: number,
  random: Random,
): readonly LatencySample[] {
  if (samples.length <= atMost) return samples;
  const all = [...samples];
  for (let i = 0; i < atMost; i++) {
    const other = i + Math.floor(random() * (all.length - i));
    [all[i], all[other]] = [all[other] as LatencySample, all[i] as LatencySample];
  }
  return all.slice(0, atMost);
}

/** The latency of the errors that are detected some day, and the share of those that never are. */
interface Fit {
  readonly fitted: Fitted;
  readonly law: LatencyDistribution;
  readonly share: number;
}

type Fitter = (family: LatencyFamily, samples: SortedSamples) => Fit;

const fitPlain: Fitter = (family, { detectedMs, censoredMs }) => {
  const fitted = fitFamily(family, { timesMs: detectedMs }, { timesMs: censoredMs });
  return { fitted, law: lawOf(family, fitted.parameters), share: 0 };
};

/** Iterates from `start`, and no further than the statistic can tell. */
function cureFitter(start?: Fitted): Fitter {
  return (family, samples) => {
    const from = start === undefined ? {} : { start };
    const { fitted, share } = estimateCure(family, samples, { ...from, leastGain: LEAST_GAIN });
    return { fitted, law: lawOf(family, fitted.parameters), share };
  };
}

/**
 * The statistic of a drawn sample, cut off at the window and fitted again. One with too little to fit is as far off as
 * can be.
 */
function asFarOff(
  family: LatencyFamily,
  fit: Fitter,
  sortedMs: Float64Array,
  window: number,
  never: number,
): number {
  let seen = sortedMs.length;
  while (seen > 0 && ((sortedMs[seen - 1] as number) > window || sortedMs[seen - 1] === Infinity)) seen--;
  if (seen < 2) return Infinity;
  const detectedMs = sortedMs.subarray(0, seen);
  const censoredMs = window === Infinity ? new Float64Array() : sortedMs.subarray(seen).map(() => window);
  const undetected = window === Infinity ? sortedMs.length - seen : 0;
  const count = sortedMs.length + never;
  try {
    const { law } = fit(family, { count, detectedMs, censoredMs, never: never + undetected });
    return andersonDarling(detectedMs, law, window);
  } catch (error) {
    if (error instanceof ModelError) return Infinity;
    throw error;
  }
}

/**
 * A² = -n - Σ (2 i - 1) (ln F(l_i) + ln(1 - F(l_(n+1-i)))) / n, for l_1 <= ... <= l_n, with F cut off at the window.
 */
function andersonDarling(sortedMs: Float64Array, law: LatencyDistribution, window: number): number {
  const beyond = window === Infinity ? 0 : law.survival(window);
  const survivals = sortedMs.map((l) => (law.survival(l) - beyond) / (1 - beyond));
  const n = survivals.length;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += (2 * i + 1) * (Math.log1p(-(survivals[i] as number)) + Math.log(survivals[n - 1 - i] as number));
  }
  return -n - sum / n;
}
