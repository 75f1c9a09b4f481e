import { logGamma } from '../numerics/incompleteGamma.js';

/**
 * The Poisson probabilities of mean `mean` from `first` on, but for tails of together at most `tolerance`, normalised
 * to sum 1. The ends come from Chernoff's bound; the weights are built outwards from the mode, so that none underflows
 * before it is negligible.
 */
export function poissonWeights(
  mean: number,
  tolerance: number,
): { readonly first: number; readonly weights: Float64Array } {
  const bound = Math.log(2 / tolerance);
  const reach = bound / 3 + Math.sqrt((bound * bound) / 9 + 2 * mean * bound);
  const mode = Math.floor(mean);
  const first = Math.max(0, Math.floor(mean - reach));
  const last = Math.ceil(mean + reach);
  const weights = new Float64Array(last - first + 1);
  weights[mode - first] = Math.exp(mode * Math.log(mean) - mean - logGamma(mode + 1));
  for (let n = mode; n > first; n--) weights[n - 1 - first] = ((weights[n - first] as number) * n) / mean;
  for (let n = mode; n < last; n++)
    weights[n + 1 - first] = ((weights[n - first] as number) * mean) / (n + 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { first, weights: weights.map((weight) => weight / total) };
}
