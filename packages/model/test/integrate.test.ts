import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integrate } from '../src/numerics/integrate.js';

describe('integration', () => {
  it('gives polynomials exactly but for rounding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 8 }),
        (coefficients) => {
          const f = (x: number) => coefficients.reduceRight((value, c) => value * x + c, 0);
          const exact = coefficients.reduce(
            (sum, c, power) => sum + (c * (2 ** (power + 1) - (-1) ** (power + 1))) / (power + 1),
            0,
          );
          expect(Math.abs(integrate(f, -1, 2) - exact)).toBeLessThan(1e-10 * (1 + Math.abs(exact)));
        },
      ),
    );
  });

  it('of which nothing is left by cancellation still ends', () => {
    expect(Math.abs(integrate((x) => 8 * x ** 3 - 5 * x ** 2 + 4 * x - 7, -1, 2))).toBeLessThan(1e-12);
  });

  it('follows a root whose slope is infinite at the end', () => {
    expect(integrate(Math.sqrt, 0, 1)).toBeCloseTo(2 / 3, 12);
  });

  it('finds a mass with breaks around it, however narrow', () => {
    expect(integrate((x) => Math.exp(-x * 1e6), 0, 1, { breaks: [1e-6, 1e-5, 4e-5] }) * 1e6).toBeCloseTo(
      1,
      11,
    );
  });

  it('says when it does not converge', () => {
    expect(() => integrate((x) => 1 / x, 1e-300, 1)).not.toThrow();
    expect(() => integrate((x) => Math.sin(1 / x) / x, 1e-9, 1)).toThrow(/RMK_ERR_NUMERIC.*did not converge/);
  });
});
