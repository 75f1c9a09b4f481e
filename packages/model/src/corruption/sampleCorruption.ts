import { requireCount, requirePositive } from '../errors.js';
import { type Estimate, percentileInterval } from '../numerics/interval.js';
import { seededRandom } from '../numerics/random.js';
import { clip, empiricalLatency } from './latencyDistribution.js';

/** Samples times resamples, at most: about a second. Many samples need few resamples, but never fewer than this. */
const BUDGET = 40_000_000;
const MIN_REPLICATIONS = 200;

/**
 * The probability of corruption from measured latencies alone, with no distribution assumed: the mean of
 * clip((l - (k-1) T) / T, 0, 1) over the samples, with a bootstrap interval (percentiles of `replications` resamples).
 *
 * Where no sample is long enough to corrupt anything the bootstrap would call the probability exactly zero. Then the upper end is
 * the exact (Clopper and Pearson) bound on the share of errors that outlast (k-1) T, which bounds the probability from above;
 * likewise at one.
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
  const corruptions = Float64Array.from(latenciesMs, (l) =>
    clip((l - (retained - 1) * intervalMs) / intervalMs),
  );
  const exact = unseenBound(n, confidence);
  if (value === 0) return { value, low: 0, high: exact, confidence };
  if (value === 1) return { value, low: 1 - exact, high: 1, confidence };
  const random = seededRandom(seed);
  const count = Math.min(replications, Math.max(MIN_REPLICATIONS, Math.floor(BUDGET / n)));
  const draws = new Float64Array(count);
  for (let replication = 0; replication < count; replication++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += corruptions[Math.floor(random() * n)] as number;
    draws[replication] = sum / n;
  }
  return percentileInterval(value, draws, confidence);
}

/** The upper end of Clopper and Pearson's interval for a share of which `trials` trials showed none: about 3.7 / n at 95 %. */
export function unseenBound(trials: number, confidence = 0.95): number {
  return -Math.expm1(Math.log((1 - confidence) / 2) / trials);
}
