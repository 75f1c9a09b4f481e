import { describe, expect, it } from 'vitest';
import { seededRandom } from '../src/numerics/random.js';

/** Kolmogorov and Smirnov's distance from the uniform distribution, times √n: above 1.95 once in a thousand. */
function distanceFromUniform(xs: readonly number[]): number {
  const n = xs.length;
  const distances = xs.toSorted((a, b) => a - b).map((x, i) => Math.max(x - i / n, (i + 1) / n - x));
  return Math.sqrt(n) * Math.max(...distances);
}

describe('seeded random numbers', () => {
  const seeds = Array.from({ length: 2000 }, (_, seed) => seed);

  it('are uniform from the first one on, whatever the seed', () => {
    for (const position of [0, 1, 2, 10]) {
      const numbers = seeds.map((seed) => {
        const random = seededRandom(seed);
        for (let i = 0; i < position; i++) random();
        return random();
      });
      expect(distanceFromUniform(numbers)).toBeLessThan(1.95);
    }
  });

  it('of neighbouring seeds are not correlated', () => {
    let sum = 0;
    for (const seed of seeds) {
      const [one, other] = [seededRandom(seed), seededRandom(seed + 1)];
      for (let i = 0; i < 10; i++) sum += 12 * (one() - 0.5) * (other() - 0.5);
    }
    // Each product has the mean 0 and the variance 1.
    expect(Math.abs(sum) / Math.sqrt(10 * seeds.length)).toBeLessThan(4);
  });

  it('repeat themselves for a seed, and differ for seeds that are equal in their low 32 bits', () => {
    const first = (seed: number) => seededRandom(seed)();
    expect(first(7)).toBe(first(7));
    expect(first(7)).not.toBe(first(7 + 2 ** 32));
  });

  it('come of seeds that are whole numbers from zero up', () => {
    for (const seed of [-1, 1.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(() => seededRandom(seed)).toThrow(/RMK_ERR_INPUT: the seed must be a whole number/);
    }
  });
});
