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

/** Any rates of figure 5, per hour, and any pc. VMs fail at 10 to the `slowest` or more often, all else less often. */
export function anyRates(slowest: number, pc: fc.Arbitrary<number>) {
  return fc.record({
    λp: powersOfTen(slowest, 0),
    λs: powersOfTen(slowest - 1, 0),
    λv: powersOfTen(slowest - 2, 0),
    rp: powersOfTen(-1, 2),
    rs: powersOfTen(-1, 2),
    rv: powersOfTen(-1, 2),
    "r'p": powersOfTen(1, 5),
    pc,
  });
}
