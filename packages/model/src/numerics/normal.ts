import { incompleteGamma } from './incompleteGamma.js';

/** P(Z > z) of the standard normal distribution, with its relative accuracy kept in the upper tail. */
export function normalSurvival(z: number): number {
  const { lower, upper } = incompleteGamma(0.5, (z * z) / 2);
  return z >= 0 ? upper / 2 : 0.5 + lower / 2;
}

/** The z with P(Z > z) = q, for 0 < q < 1. */
export function normalUpperQuantile(q: number): number {
  if (q > 0.5) return -normalUpperQuantile(1 - q);
  let low = 0;
  let high = 40;
  for (let step = 0; step < 100 && low < high; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (normalSurvival(middle) > q) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The half width, in standard deviations, of the two-sided normal interval of a confidence: 1.96 for 0.95. */
export function normalHalfWidth(confidence: number): number {
  return normalUpperQuantile((1 - confidence) / 2);
}
