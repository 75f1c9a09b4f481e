import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exponentialCorruption,
  exponentialRecoverability,
  intervalOfCorruption,
  latencyOfPercentile,
  logExponentialCorruption,
  rateOfPercentile,
  retainedOfCorruption,
} from '../src/corruption/exponentialCorruption.js';
import { powersOfTen } from './generators.js';

const Exact = Decimal.clone({ precision: 60, minE: -9e15, maxE: 9e15 });

/** Equation (5) and (6) for k checkpoints, with 60 digits. */
function exact(x: number, retained: number): Decimal {
  const lt = new Exact(x);
  return lt
    .times(1 - retained)
    .exp()
    .times(new Exact(1).minus(lt.neg().exp()))
    .div(lt);
}

const products = powersOfTen(-12, 6);
const histories = fc.integer({ min: 1, max: 12 });

describe('equations (5) and (6) for k checkpoints', () => {
  it('agree with arithmetic of 60 digits for λT from 1e-12 to 1e6', () => {
    fc.assert(
      fc.property(products, histories, (x, k) => {
        const wanted = exact(x, k);
        const logged = logExponentialCorruption(x, 1, k);
        expect(new Exact(logged).minus(wanted.ln()).abs().toNumber()).toBeLessThanOrEqual(
          // Above 0.1 it is the logarithm of a rounded number that may be close to one.
          (x > 0.1 ? 4e-15 : 4e-16) * Math.abs(logged) + 1e-27,
        );
        const value = exponentialCorruption(x, 1, k);
        if (wanted.greaterThan(1e-300)) {
          expect(new Exact(value).div(wanted).minus(1).abs().toNumber()).toBeLessThan(1e-15 * (2 + k * x));
        } else {
          expect(value).toBeLessThan(1e-299);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keep the digits of the complement where λT is small', () => {
    fc.assert(
      fc.property(products, histories, (x, k) => {
        const wanted = new Exact(1).minus(exact(x, k));
        const value = exponentialRecoverability(x, 1, k);
        expect(new Exact(value).div(wanted).minus(1).abs().toNumber()).toBeLessThan(1e-14);
      }),
      { numRuns: 300 },
    );
  });

  it('hold at both ends of the range', () => {
    expect(exponentialCorruption(1e-12, 1, 1)).toBe(1 - 5e-13);
    expect(exponentialCorruption(1, 1e6, 1)).toBe(1e-6);
    expect(exponentialCorruption(1, 1e6, 2)).toBe(0);
    expect(logExponentialCorruption(1, 1e6, 2)).toBeCloseTo(-1e6 - Math.log(1e6), 6);
  });

  it('fall with the interval and with the history', () => {
    fc.assert(
      fc.property(products, histories, fc.double({ min: 1.001, max: 10, noNaN: true }), (x, k, factor) => {
        expect(logExponentialCorruption(x * factor, 1, k)).toBeLessThan(logExponentialCorruption(x, 1, k));
        expect(logExponentialCorruption(x, 1, k + 1)).toBeLessThan(logExponentialCorruption(x, 1, k));
      }),
    );
  });

  it('refuse what is not a rate, an interval or a history', () => {
    for (const [rate, interval, retained] of [
      [-1, 50, 2],
      [Number.NaN, 50, 2],
      [0, 50, 2],
      [Infinity, 50, 2],
      [0.06, -50, 2],
      [0.06, 50, 0],
      [0.06, 50, 1.5],
    ] as const) {
      expect(() => exponentialCorruption(rate, interval, retained)).toThrow(/RMK_ERR_INPUT/);
    }
  });
});

describe('λ of a percentile', () => {
  it("is the paper's 0.0599 for 95 % within 50 ms, whose 99 % is 77 ms", () => {
    expect(rateOfPercentile(0.95, 50)).toBeCloseTo(0.0599, 4);
    expect(Math.round(latencyOfPercentile(0.99, 0.0599))).toBe(77);
  });

  it('is undone by the percentile of λ', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (p, t) => {
          expect(latencyOfPercentile(p, rateOfPercentile(p, t)) / t).toBeCloseTo(1, 12);
        },
      ),
    );
  });

  it('refuses percentiles that are not inside (0, 1)', () => {
    for (const p of [0, 1, -0.1, 1.5, Number.NaN])
      expect(() => rateOfPercentile(p, 50)).toThrow(/percentile/);
  });
});

describe('the inverse', () => {
  it('gives the interval at which the target is met', () => {
    const targets = fc.double({ min: -200, max: -1e-9, noNaN: true });
    fc.assert(
      fc.property(targets, products, histories, (logTarget, rate, k) => {
        const target = Math.exp(logTarget);
        if (target >= 1) return;
        const interval = intervalOfCorruption(target, rate, k);
        const reached = logExponentialCorruption(rate, interval, k);
        expect(Math.abs(reached - Math.log(target))).toBeLessThan(1e-12 * Math.max(1, -logTarget) + 4e-16);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the smallest history that is enough', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-9, max: 0.9, noNaN: true }),
        fc.double({ min: 0.05, max: 10, noNaN: true }),
        (target, x) => {
          const k = retainedOfCorruption(target, x, 1);
          expect(exponentialCorruption(x, 1, k)).toBeLessThanOrEqual(target * (1 + 1e-11));
          if (k > 1) expect(exponentialCorruption(x, 1, k - 1)).toBeGreaterThan(target * (1 - 1e-11));
        },
      ),
    );
    expect(retainedOfCorruption(0.02, 0.0599, 50)).toBe(2);
  });
});
