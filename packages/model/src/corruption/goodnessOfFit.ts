import { seededRandom } from '../numerics/random.js';
import type { LatencyDistribution } from './latencyDistribution.js';
import { fitFamily, type LatencyFamily, lawOf } from './latencyFamily.js';
import { type LatencySample, sortSamples } from './latencySample.js';

export interface GoodnessOfFit {
  readonly test: 'Anderson-Darling';
  readonly statistic: number;
  /** The share of samples drawn from the fitted distribution, and fitted again, that fit no better. */
  readonly pValue: number;
  readonly replications: number;
  /** How many samples were tested: all, or so many drawn from them at random. */
  readonly tested: number;
}

export interface GoodnessOptions {
  /** How often a sample is drawn and fitted. Default: 999, fewer for many samples, and never fewer than 99. */
  readonly replications?: number;
  /** The most samples to test. More are thinned to so many at random, which keeps the test sound and costs it power. Default: 10 000. */
  readonly atMost?: number;
  readonly seed?: number;
  /** Called now and then with the share that is done. */
  readonly progress?: (share: number) => void;
}

/** Samples times replications, at most: some seconds. */
const BUDGET = 2_000_000;
const LEAST_REPLICATIONS = 99;

/**
 * Anderson and Darling's test of the hypothesis that the detected latencies come from `family`, its parameters estimated from the
 * same samples. Tables hold for known parameters only, so the p-value comes from a parametric bootstrap that fits each drawn
 * sample again. A small p-value says that the family is wrong; a large one only that this many samples do not show it.
 *
 * Right-censored samples are taken into account where all were watched equally long, and no less than the longest detected latency: the
 * detected ones then come from the family cut off there.
 *
 * Undefined with fewer than 5 detected latencies, where there is nothing to test, with latencies of zero, which no family here ever gives
 * (so the clock is too coarse, not the family wrong), and with errors that were watched for different times.
 */
export function goodnessOfFit(
  family: LatencyFamily,
  samples: readonly LatencySample[],
  { replications = 999, atMost = 10_000, seed = 1, progress }: GoodnessOptions = {},
): GoodnessOfFit | undefined {
  const random = seededRandom(seed);
  const latencies = samples.filter((sample) => sample !== Infinity);
  for (let i = 0; latencies.length > atMost && i < atMost; i++) {
    const other = i + Math.floor(random() * (latencies.length - i));
    [latencies[i], latencies[other]] = [latencies[other] as LatencySample, latencies[i] as LatencySample];
  }
  const tested = latencies.slice(0, atMost);
  if (tested.length === 0) return undefined;
  const { detectedMs, censoredMs } = sortSamples(tested);
  if (detectedMs.length < 5 || detectedMs[0] === 0) return undefined;
  const window = censoredMs.at(-1) ?? Infinity;
  if (censoredMs.length > 0 && (censoredMs[0] !== window || (detectedMs.at(-1) as number) > window))
    return undefined;

  const law = lawOf(family, fitFamily(family, { timesMs: detectedMs }, { timesMs: censoredMs }).parameters);
  const statistic = andersonDarling(detectedMs, law, window);
  const count = Math.max(LEAST_REPLICATIONS, Math.min(replications, Math.floor(BUDGET / tested.length)));
  const drawn = new Float64Array(tested.length);
  let asBad = 0;
  let reported = 0;
  for (let replication = 0; replication < count; replication++) {
    for (let i = 0; i < drawn.length; i++) drawn[i] = Math.max(Number.MIN_VALUE, law.sample(random));
    if (asFarOff(family, drawn.toSorted(), window) >= statistic) asBad++;
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

/** The statistic of a drawn sample, cut off at the window and fitted again. One with too little to fit is as far off as can be. */
function asFarOff(family: LatencyFamily, sortedMs: Float64Array, window: number): number {
  let seen = sortedMs.length;
  while (seen > 0 && (sortedMs[seen - 1] as number) > window) seen--;
  if (seen < 2) return Infinity;
  const detectedMs = sortedMs.subarray(0, seen);
  const censored = { timesMs: [window], weights: [sortedMs.length - seen] };
  const fit = fitFamily(family, { timesMs: detectedMs }, window === Infinity ? { timesMs: [] } : censored);
  return andersonDarling(detectedMs, lawOf(family, fit.parameters), window);
}

/** A² = -n - Σ (2 i - 1) (ln F(l_i) + ln(1 - F(l_(n+1-i)))) / n, for l_1 <= ... <= l_n, with F cut off at the window. */
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
