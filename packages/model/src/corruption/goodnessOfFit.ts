import { seededRandom } from '../numerics/random.js';
import { fitLatency, type LatencyFamily } from './fitLatency.js';
import type { LatencyDistribution } from './latencyDistribution.js';

export interface GoodnessOfFit {
  readonly test: 'Anderson-Darling';
  readonly statistic: number;
  /** The share of samples drawn from the fitted distribution, and fitted again, that fit no better. */
  readonly pValue: number;
  readonly replications: number;
}

/** Samples times replications, at most: about two seconds. */
const BUDGET = 10_000_000;

/**
 * Anderson and Darling's test of the hypothesis that the detected latencies come from `family`, its parameters estimated from the
 * same latencies. Tables hold for known parameters only, so the p-value comes from a parametric bootstrap that fits each drawn
 * sample anew. A small p-value says that the family is wrong; a large one only that this many samples do not show it.
 *
 * Undefined with fewer than 5 detected latencies, where there is nothing to test, and with latencies of zero: no family here ever gives
 * one, so it says that the clock is too coarse, not that the family is wrong.
 */
export function goodnessOfFit(
  family: LatencyFamily,
  latenciesMs: readonly number[],
  { replications = 999, seed = 1 }: { replications?: number; seed?: number } = {},
): GoodnessOfFit | undefined {
  const detected = latenciesMs.filter((l) => l < Infinity);
  if (detected.length < 5 || detected.includes(0)) return undefined;
  const fit = fitLatency(family, detected);
  const statistic = andersonDarling(detected, fit.detected);
  const random = seededRandom(seed);
  const count = Math.max(99, Math.min(replications, Math.floor(BUDGET / detected.length)));
  let asBad = 0;
  for (let replication = 0; replication < count; replication++) {
    const drawn = detected.map(() => Math.max(Number.MIN_VALUE, fit.detected.sample(random)));
    if (andersonDarling(drawn, fitLatency(family, drawn).detected) >= statistic) asBad++;
  }
  return {
    test: 'Anderson-Darling',
    statistic,
    pValue: (asBad + 1) / (count + 1),
    replications: count,
  };
}

/** A² = -n - Σ (2 i - 1) (ln F(l_i) + ln(1 - F(l_(n+1-i)))) / n, for l_1 <= ... <= l_n. */
function andersonDarling(latenciesMs: readonly number[], latency: LatencyDistribution): number {
  const survivals = latenciesMs.toSorted((a, b) => a - b).map((l) => latency.survival(l));
  const n = survivals.length;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += (2 * i + 1) * (Math.log1p(-(survivals[i] as number)) + Math.log(survivals[n - 1 - i] as number));
  }
  return -n - sum / n;
}
