import * as fc from 'fast-check';

/**
 * A number between 10^from and 10^to whose logarithm is uniform. fast-check's own doubles crowd at zero, where 10^x is
 * 1.
 */
export function powersOfTen(from: number, to: number): fc.Arbitrary<number> {
  return uniform(from, to).map((exponent) => 10 ** exponent);
}

const STEPS = 1_000_000;

/** A number that is uniform on [from, to], the ends included. Shrinks to `from`. */
export function uniform(from: number, to: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: STEPS }).map((step) => from + ((to - from) * step) / STEPS);
}
