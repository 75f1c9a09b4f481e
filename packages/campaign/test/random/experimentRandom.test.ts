import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExperimentRandom } from '../../src/index.js';

const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const drawn = (from: ExperimentRandom): number[] =>
  Array.from({ length: 8 }, () => from.integer(0, 2 ** 32 - 1));

describe('the random numbers of an experiment', () => {
  it('depend on the seed and its number alone', () => {
    fc.assert(
      fc.property(seed, fc.nat(1e6), (of, number) => {
        expect(drawn(new ExperimentRandom(of, number))).toEqual(drawn(new ExperimentRandom(of, number)));
        expect(drawn(new ExperimentRandom(of, number))).not.toEqual(
          drawn(new ExperimentRandom(of, number + 1)),
        );
        expect(drawn(new ExperimentRandom(of, number))).not.toEqual(
          drawn(new ExperimentRandom(of ^ 1, number)),
        );
      }),
    );
  });

  it('are spread evenly over consecutive experiments', () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let number = 0; number < 16_000; number++) {
      const value = new ExperimentRandom(7, number).integer(0, 15);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // Chi-squared with 15 degrees of freedom: above 37.7 once in a thousand.
    const chi = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi).toBeLessThan(37.7);
  });

  it('let certain things happen and impossible ones not', () => {
    fc.assert(
      fc.property(seed, (of) => {
        expect(new ExperimentRandom(of, 0).happens(1)).toBe(true);
        expect(new ExperimentRandom(of, 0).happens(0)).toBe(false);
      }),
    );
  });
});
