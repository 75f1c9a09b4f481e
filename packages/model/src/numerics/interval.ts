import { normalHalfWidth } from './normal.js';

/** A value, and the interval that covers it with the given confidence (default: 0.95). */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

/** Wilson's score interval of a proportion: sound near 0 and 1, where the textbook interval is not. */
export function proportion(hits: number, trials: number, confidence = 0.95): Estimate {
  const z = normalHalfWidth(confidence);
  const p = hits / trials;
  const denominator = 1 + (z * z) / trials;
  const centre = (p + (z * z) / (2 * trials)) / denominator;
  const half = (z * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials))) / denominator;
  return { value: p, low: Math.max(0, centre - half), high: Math.min(1, centre + half), confidence };
}

/** The quantile of sorted numbers, interpolated between the two that are nearest (Hyndman and Fan's type 7). */
export function sortedQuantile(sorted: ArrayLike<number>, p: number): number {
  const position = p * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  // Guarded, because the difference of two infinities is no number.
  return position === below || low === high ? low : low + (position - below) * (high - low);
}

/** The percentile interval of what a bootstrap or a Monte Carlo run drew, around the point estimate. */
export function percentileInterval(value: number, draws: Float64Array, confidence = 0.95): Estimate {
  const sorted = draws.toSorted();
  const tail = (1 - confidence) / 2;
  return { value, low: sortedQuantile(sorted, tail), high: sortedQuantile(sorted, 1 - tail), confidence };
}
