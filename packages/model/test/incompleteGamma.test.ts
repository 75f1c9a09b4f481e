import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gammaQuantile, incompleteGamma, logGamma } from '../src/numerics/incompleteGamma.js';

const Exact = Decimal.clone({ precision: 300 });

/** Q(n, x) for a whole n is the probability that a Poisson variate of mean x is below n. */
function poissonBelow(n: number, x: number): Decimal {
  let term = new Exact(-x).exp();
  let sum = term;
  for (let i = 1; i < n; i++) {
    term = term.times(x).div(i);
    sum = sum.plus(term);
  }
  return sum;
}

describe('the incomplete gamma functions', () => {
  it('of a whole number are Poisson probabilities, the smaller tail to 11 digits of itself', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 1e-3, max: 200, noNaN: true }),
        (n, x) => {
          const upper = poissonBelow(n, x);
          const lower = new Exact(1).minus(upper);
          const ours = incompleteGamma(n, x);
          const relative = (value: number, exact: Decimal) =>
            new Exact(value).minus(exact).abs().div(exact).toNumber();
          // The smaller tail is computed directly, the other one as what is left.
          if (x < n + 1) expect(relative(ours.lower, lower)).toBeLessThan(1e-11);
          else expect(relative(ours.upper, upper)).toBeLessThan(1e-11);
          expect(ours.lower + ours.upper).toBe(1);
        },
      ),
    );
  });

  it('have the quantile as their inverse', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 5000, noNaN: true }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (a, p) => {
          expect(incompleteGamma(a, gammaQuantile(a, p)).lower).toBeCloseTo(p, 9);
        },
      ),
    );
  });

  it('rest on a logarithm of gamma that counts factorials', () => {
    let factorial = new Exact(1);
    for (let n = 1; n <= 100; n++) {
      expect(logGamma(n)).toBeCloseTo(factorial.ln().toNumber(), 10);
      factorial = factorial.times(n);
    }
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 13);
  });
});
