import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { irreducibleChains } from './chainFixtures.js';
import { powersOfTen, uniform } from './generators.js';

/** The quartiles of what a generator draws. A generator that crowds at a few values tests those alone. */
function quartiles(draws: readonly number[]): readonly number[] {
  const sorted = draws.toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((p) => sorted[Math.floor(p * sorted.length)] as number);
}

const sample = <T>(arbitrary: fc.Arbitrary<T>) => fc.sample(arbitrary, { numRuns: 4000, seed: 7 });

describe('what the property tests of this package draw', () => {
  it('is uniform where it says so, but for the ends, which come more often', () => {
    for (const [from, to] of [
      [-8, 8],
      [0, 1],
      [0, 500],
    ] as const) {
      const [low, middle, high] = quartiles(sample(uniform(from, to))).map((x) => (x - from) / (to - from));
      expect(low).toBeGreaterThan(0.1);
      expect(low).toBeLessThan(0.3);
      expect(middle).toBeGreaterThan(0.35);
      expect(middle).toBeLessThan(0.6);
      expect(high).toBeGreaterThan(0.6);
    }
  });

  it('has uniform logarithms for powers of ten', () => {
    const [low = 0, middle = 0, high = 0] = quartiles(sample(powersOfTen(-12, 6))).map(Math.log10);
    expect(low).toBeGreaterThan(-11);
    expect(low).toBeLessThan(-6);
    expect(middle).toBeGreaterThan(-6);
    expect(middle).toBeLessThan(0);
    expect(high).toBeGreaterThan(-1);
  });

  it('are chains of every size, a third of them with more transitions than two a state', () => {
    const chains = sample(irreducibleChains);
    expect(new Set(chains.map(({ size }) => size))).toEqual(new Set([2, 3, 4, 5, 6, 7, 8, 9]));
    const rich = chains.filter(({ size, arcs }) => arcs.length > 2 * size);
    expect(rich.length / chains.length).toBeGreaterThan(1 / 3);
  });
});

describe('the settings of the property tests', () => {
  it('let an array be as long as its maxLength says', () => {
    const lengths = sample(fc.array(fc.nat(), { maxLength: 60 })).map(({ length }) => length);
    expect(Math.max(...lengths)).toBe(60);
    expect(quartiles(lengths)[1]).toBeGreaterThan(15);
  });
});
