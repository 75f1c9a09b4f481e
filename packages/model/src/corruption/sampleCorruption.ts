import { requireCount, requirePositive } from '../errors.js';
import { type Estimate, sortedQuantile } from '../numerics/interval.js';
import { exponentialVariate, seededRandom } from '../numerics/random.js';
import { empiricalLatency } from './empiricalLatency.js';
import { type Masses, redistribute } from './kaplanMeier.js';
import { clip } from './latencyDistribution.js';
import { type LatencySample, sortSamples } from './latencySample.js';
import type { RollbackRule } from './rollbackRule.js';

/** Samples times resamples, at most: about a second. Many samples need few resamples, but never fewer than this. */
const BUDGET = 20_000_000;
const MIN_REPLICATIONS = 200;

export interface SampleCorruptionOptions {
  readonly confidence?: number;
  readonly replications?: number;
  readonly seed?: number;
}

/**
 * {@link sampleRuleCorruption} of the oldest of `retained` checkpoints, which is the rule's target for T_B = (k-1)
 * T_ck.
 */
export function sampleCorruption(
  samples: readonly LatencySample[],
  intervalMs: number,
  retained: number,
  options: SampleCorruptionOptions = {},
): Estimate {
  requirePositive('the checkpoint interval (ms)', intervalMs);
  requireCount('the number of retained checkpoints', retained);
  return sampleRuleCorruption(samples, { intervalMs, boundMs: (retained - 1) * intervalMs }, options);
}

/**
 * The probability of corruption from measured latencies alone, with no distribution assumed: the mean of clip((l - T_B)
 * / T_ck, 0, 1) over the samples, with a bootstrap interval.
 *
 * The percentile bootstrap misses rare corruption: it covers 82 instead of 95 of 100 true values with 50 samples of
 * §4's latency at 50 ms dual, and would call a corruption that no sample shows impossible. So the samples are weighted
 * at random (Rubin's Bayesian bootstrap), together with one more that was not seen: it corrupts nothing for the low
 * end, and with certainty for the high end. These are the bounds of Gaffke (2005). For values of 0 and 1 alone they are
 * Clopper and Pearson's exact ones; no case is known in which they cover less than they say.
 *
 * With right-censored samples the same is done on the Kaplan-Meier estimate. What it leaves beyond the last censored
 * sample is detected there for the low end, and never for the high end and for the value.
 */
export function sampleRuleCorruption(
  samples: readonly LatencySample[],
  rule: RollbackRule,
  { confidence = 0.95, replications = 2000, seed = 1 }: SampleCorruptionOptions = {},
): Estimate {
  const { intervalMs, boundMs } = rule;
  const value = empiricalLatency(samples).corruptionFrom(boundMs, intervalMs);
  const sorted = sortSamples(samples);
  const n = sorted.count;
  const censored = sorted.censoredMs.length > 0;
  // The closed form where the samples all say the same, so that it is not left to chance.
  if (value === 0 && !censored) return { value, low: 0, high: unseenBound(n, confidence), confidence };
  if (value === 1 && !censored) return { value, low: 1 - unseenBound(n, confidence), high: 1, confidence };
  const corruption = (latencyMs: number) => clip((latencyMs - boundMs) / intervalMs);
  const corruptions = Float64Array.from(sorted.detectedMs, corruption);
  const atLastCensored = corruption(sorted.censoredMs.at(-1) ?? 0);
  const random = seededRandom(seed);
  const count = Math.min(replications, Math.max(MIN_REPLICATIONS, Math.floor(BUDGET / n)));
  const lows = new Float64Array(count);
  const highs = new Float64Array(count);
  // The one that was not seen comes last. For the high end it is never detected, and takes its part of what censored
  // samples hand on.
  const weights = new Float64Array(n + 1);
  const withUnseen = { ...sorted, never: sorted.never + 1 };
  const corrupted = (masses: Masses) =>
    masses.masses.reduce((sum, mass, i) => sum + mass * (corruptions[i] as number), masses.never);
  for (let replication = 0; replication < count; replication++) {
    const unseen = exponentialVariate(random, 1);
    weights[n] = unseen;
    let total = unseen;
    for (let i = 0; i < n; i++) {
      const weight = exponentialVariate(random, 1);
      weights[i] = weight;
      total += weight;
    }
    if (censored) {
      const least = redistribute(sorted, weights);
      lows[replication] = (corrupted(least) + least.beyond * atLastCensored) / total;
      highs[replication] = corrupted(redistribute(withUnseen, weights)) / total;
    } else {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (weights[i] as number) * (corruptions[i] ?? 1);
      lows[replication] = sum / total;
      highs[replication] = (sum + unseen) / total;
    }
  }
  const tail = (1 - confidence) / 2;
  return {
    value,
    low: sortedQuantile(lows.toSorted(), tail),
    high: sortedQuantile(highs.toSorted(), 1 - tail),
    confidence,
  };
}

/**
 * The upper end of Clopper and Pearson's interval for a share of which `trials` trials showed none: about 3.7 / n at 95
 * %.
 */
export function unseenBound(trials: number, confidence = 0.95): number {
  return -Math.expm1(Math.log((1 - confidence) / 2) / trials);
}
