import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalHalfWidth, normalSurvival, normalUpperQuantile } from '../src/numerics/normal.js';
import { proportion } from '../src/numerics/interval.js';
import { uniform } from './generators.js';

const Exact = Decimal.clone({ precision: 80 });

/** P(Z > z) from the Taylor series of the density's integral, in 80 digits. */
function survival(z: number): Decimal {
  const x = new Exact(z);
  let term = x;
  let sum = x;
  for (let n = 1; n < 2000 && term.abs().greaterThan(1e-70); n++) {
    term = term
      .times(x)
      .times(x)
      .neg()
      .div(2 * n);
    sum = sum.plus(term.div(2 * n + 1));
  }
  const twoPi = new Exact(2).times(Exact.acos(-1));
  return new Exact(0.5).minus(sum.div(twoPi.sqrt()));
}

describe('the normal distribution', () => {
  it('keeps 12 digits of its upper tail', () => {
    fc.assert(
      fc.property(uniform(-8, 8), (z) => {
        const exact = survival(z);
        expect(new Exact(normalSurvival(z)).minus(exact).abs().div(exact).toNumber()).toBeLessThan(1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('has a quantile that is the inverse of its survival', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1 - 1e-6, noNaN: true }), (q) => {
        expect(normalSurvival(normalUpperQuantile(q)) / q).toBeCloseTo(1, 9);
      }),
    );
    expect(normalHalfWidth(0.95)).toBeCloseTo(1.959963984540054, 12);
  });
});

describe('Wilson’s interval of a proportion', () => {
  it('is that of the textbook: 8 of 10', () => {
    const { value, low, high } = proportion(8, 10);
    expect([value, low, high]).toEqual([0.8, expect.closeTo(0.490162, 6), expect.closeTo(0.943318, 6)]);
  });

  it('never leaves the range from 0 to 1, also where rounding would', () => {
    for (let n = 1; n <= 3000; n++) {
      expect(proportion(n, n).high).toBeLessThanOrEqual(1);
      expect(proportion(0, n).low).toBeGreaterThanOrEqual(0);
    }
  });
});
