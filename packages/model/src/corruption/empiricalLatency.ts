import { complete, type LatencyDistribution } from './latencyDistribution.js';
import { type Masses, redistribute } from './kaplanMeier.js';
import { type LatencySample, sortSamples } from './latencySample.js';

/**
 * The distribution of the measured latencies themselves. Without right-censored samples each is as likely as the
 * others; with them it is Kaplan and Meier's estimate. What that leaves beyond the last censored sample counts as never
 * detected, which is the cautious reading.
 */
export function empiricalLatency(samples: readonly LatencySample[]): LatencyDistribution {
  const sorted = sortSamples(samples);
  const masses = redistribute(sorted);
  const { count, censoredMs } = sorted;
  const censored = censoredMs.length === 0 ? '' : `, ${censoredMs.length} of them right-censored`;
  return discreteLatency(masses, `${count} measured latencies${censored}`);
}

/** The distribution with these masses. `beyond` counts as never detected. */
function discreteLatency(
  { latenciesMs, masses, never, beyond }: Masses,
  description: string,
): LatencyDistribution {
  const n = latenciesMs.length;
  // Sums over the i smallest latencies, so that an interval costs two searches and not a pass.
  const mass = new Float64Array(n + 1);
  const first = new Float64Array(n + 1);
  const second = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) {
    const l = latenciesMs[i] as number;
    const m = masses[i] as number;
    mass[i + 1] = (mass[i] as number) + m;
    first[i + 1] = (first[i] as number) + m * l;
    second[i + 1] = (second[i] as number) + m * l * l;
  }
  const between = (prefix: Float64Array, from: number, to: number) =>
    (prefix[to] as number) - (prefix[from] as number);
  const undetected = never + beyond;
  const total = (mass[n] as number) + undetected;
  return complete({
    name: 'empirical',
    description,
    survival: (latencyMs) => (undetected + between(mass, notAbove(latenciesMs, latencyMs), n)) / total,
    corruptionFrom: (fromMs, widthMs) => {
      const [clean, partly] = [notAbove(latenciesMs, fromMs), notAbove(latenciesMs, fromMs + widthMs)];
      const certain = undetected + between(mass, partly, n);
      const partial = between(first, clean, partly) - between(mass, clean, partly) * fromMs;
      return (certain + Math.max(0, partial) / widthMs) / total;
    },
    cleanAgeFrom: (fromMs, widthMs) => {
      const toMs = fromMs + widthMs;
      const [clean, partly] = [notAbove(latenciesMs, fromMs), notAbove(latenciesMs, toMs)];
      const partial = between(mass, clean, partly) * toMs * toMs - between(second, clean, partly);
      return ((mass[clean] as number) * (fromMs + toMs) * 0.5 + Math.max(0, partial) / (2 * widthMs)) / total;
    },
    sample: (random) => {
      const at = random() * total;
      const index = notAbove(mass, at) - 1;
      return index < n ? (latenciesMs[index] as number) : Infinity;
    },
  });
}

/** How many of the sorted numbers are not above `limit`. */
function notAbove(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
