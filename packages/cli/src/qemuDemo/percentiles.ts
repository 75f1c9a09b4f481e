/** The distribution of a duration, in milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** By the nearest rank; all zero where there is nothing to measure. */
export function percentilesMs(durationsNs: readonly number[]): Percentiles {
  const sorted = durationsNs.toSorted((a, b) => a - b);
  const rank = (share: number): number => {
    const ns = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
    return Math.round(ns / 1e3) / 1e3;
  };
  return { count: sorted.length, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}
