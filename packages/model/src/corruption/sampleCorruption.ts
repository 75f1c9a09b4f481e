import { requireCount, requirePositive } from '../errors.js';
import { type Estimate, sortedQuantile } from '../numerics/interval.js';
import { exponentialVariate, seededRandom } from '../numerics/random.js';
import { clip, empiricalLatency } from './latencyDistribution.js';

/** Samples times resamples, at most: about a second. Many samples need few resamples, but never fewer than this. */
const BUDGET = 20_000_000;
const MIN_REPLICATIONS = 200;

/**
 * The probability of corruption from measured latencies alone, with no distribution assumed: the mean of
 * clip((l - (k-1) T) / T, 0, 1) over the samples, with a bootstrap interval.
 *
 * The percentile bootstrap misses rare corruption: it covers 82 instead of 95 of 100 true values with 50 samples of §4's latency at
 * 50 ms dual, and would call a corruption that no sample shows impossible. So the samples are weighted at random (Rubin's Bayesian
 * bootstrap), together with one more that was not seen: it corrupts nothing for the low end, and with certainty for the high end.
 * These are the bounds of Gaffke (2005). For values of 0 and 1 alone they are Clopper and Pearson's exact ones; no case is
 * known in which they cover less than they say.
 */
export function sampleCorruption(
  latenciesMs: readonly number[],
  intervalMs: number,
  retained: number,
  {
    confidence = 0.95,
    replications = 2000,
    seed = 1,
  }: { confidence?: number; replications?: number; seed?: number } = {},
): Estimate {
  requirePositive('the checkpoint interval (ms)', intervalMs);
  requireCount('the number of retained checkpoints', retained);
  const value = empiricalLatency(latenciesMs).corruption(intervalMs, retained);
  const n = latenciesMs.length;
  // The closed form where the samples all say the same, so that it is not left to chance.
  if (value === 0) return { value, low: 0, high: unseenBound(n, confidence), confidence };
  if (value === 1) return { value, low: 1 - unseenBound(n, confidence), high: 1, confidence };
  const corruptions = Float64Array.from(latenciesMs, (l) =>
    clip((l - (retained - 1) * intervalMs) / intervalMs),
  );
  const random = seededRandom(seed);
  const count = Math.min(replications, Math.max(MIN_REPLICATIONS, Math.floor(BUDGET / n)));
  const lows = new Float64Array(count);
  const highs = new Float64Array(count);
  for (let replication = 0; replication < count; replication++) {
    const unseen = exponentialVariate(random, 1);
    let weights = unseen;
    let corrupted = 0;
    for (let i = 0; i < n; i++) {
      const weight = exponentialVariate(random, 1);
      weights += weight;
      corrupted += weight * (corruptions[i] as number);
    }
    lows[replication] = corrupted / weights;
    highs[replication] = (corrupted + unseen) / weights;
  }
  const tail = (1 - confidence) / 2;
  return {
    value,
    low: sortedQuantile(lows.toSorted(), tail),
    high: sortedQuantile(highs.toSorted(), 1 - tail),
    confidence,
  };
}

/** The upper end of Clopper and Pearson's interval for a share of which `trials` trials showed none: about 3.7 / n at 95 %. */
export function unseenBound(trials: number, confidence = 0.95): number {
  return -Math.expm1(Math.log((1 - confidence) / 2) / trials);
}
