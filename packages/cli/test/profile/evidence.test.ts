import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gapsFor, rateAtMost, roundedUp } from '../../src/profile/evidence.js';

const confidence = fc.double({ min: 0.5, max: 0.999, noNaN: true });

describe('the rate that gaps without an exceedance show', () => {
  it('is that at which so few would be seen with the rest of the confidence (Clopper and Pearson)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), confidence, (count, sure) => {
        const rate = rateAtMost(count, sure);
        // The probability of no exceedance in `count` trials.
        expect((1 - rate) ** count).toBeCloseTo(1 - sure, 6);
      }),
    );
  });

  it('is about three in their number at 95 % (the rule of three), and anything without one', () => {
    expect(rateAtMost(1000, 0.95)).toBeCloseTo(0.00299, 5);
    expect(rateAtMost(0, 0.95)).toBe(1);
  });

  it('covers the true rate as often as it says', () => {
    // Of a rate p, no exceedance in n gaps is seen with (1 - p)^n: then the bound has to be p or more, or that is rare.
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 1e-5, max: 0.9, noNaN: true }),
        (count, p) => {
          if (rateAtMost(count, 0.95) < p) expect((1 - p) ** count).toBeLessThanOrEqual(0.05 + 1e-12);
        },
      ),
    );
  });

  it('is reached by as many gaps as are said to be needed, and not by one fewer', () => {
    const rate = fc.double({ min: -6, max: -0.5, noNaN: true }).map((exponent) => 10 ** exponent);
    fc.assert(
      fc.property(rate, confidence, (wanted, sure) => {
        const count = gapsFor(wanted, sure);
        expect(rateAtMost(count, sure)).toBeLessThanOrEqual(wanted * (1 + 1e-9));
        if (count > 1) expect(rateAtMost(count - 1, sure)).toBeGreaterThan(wanted * (1 - 1e-9));
      }),
    );
  });
});

it('a threshold is rounded up to two digits', () => {
  expect([0, 7, 21.4, 99.1, 100, 101, 2_146_150, 0.3].map(roundedUp)).toEqual([
    0, 7, 22, 100, 100, 110, 2_200_000, 0.3,
  ]);
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e12, noNaN: true }), (value) => {
      expect(roundedUp(value)).toBeGreaterThanOrEqual(value * (1 - 1e-12));
      expect(roundedUp(value)).toBeLessThanOrEqual(value * 1.1 * (1 + 1e-12));
    }),
  );
});
