import { empiricalLatency } from '../src/corruption/empiricalLatency.js';
import { describe, expect, it } from 'vitest';
import { sampleCorruption, unseenBound } from '../src/corruption/sampleCorruption.js';
import { intervalOfTarget, retainedOfTarget } from '../src/corruption/target.js';
import { intervalOfCorruption } from '../src/corruption/exponentialCorruption.js';
import { exponentialLatency, fixedLatency } from '../src/corruption/latencyDistribution.js';
import { seededRandom } from '../src/numerics/random.js';

describe('the prediction from samples alone', () => {
  it('is the mean of the clipped latencies', () => {
    expect(sampleCorruption([10, 60, 75, 120, Infinity], 50, 2).value).toBeCloseTo(
      (0 + 0.2 + 0.5 + 1 + 1) / 5,
      14,
    );
  });

  it.each([
    ['common', 1, 50],
    ['rare', 2, 50],
  ] as const)(
    'has an interval that covers a %s corruption (%i retained) in at least 95 of 100 experiments of %i errors',
    (_, retained, errors) => {
      const truth = exponentialLatency(0.0599);
      const probability = truth.corruption(50, retained);
      const random = seededRandom(4);
      const experiments = 400;
      let covered = 0;
      for (let i = 0; i < experiments; i++) {
        const drawn = Array.from({ length: errors }, () => truth.sample(random));
        const { low, high } = sampleCorruption(drawn, 50, retained, { replications: 200, seed: i });
        if (low <= probability && probability <= high) covered++;
      }
      expect(covered / experiments).toBeGreaterThanOrEqual(0.95);
    },
  );

  it("has Clopper and Pearson's interval where errors corrupt with certainty or not at all", () => {
    const hits = 3;
    const errors = 20;
    const samples = Array.from({ length: errors }, (_, i) => (i < hits ? Infinity : 1));
    const { low, high } = sampleCorruption(samples, 50, 2, { replications: 40_000 });
    // At its ends so many hits or more, or so many or fewer, have a probability of 2.5 %.
    const term = (p: number, k: number) => choose(errors, k) * p ** k * (1 - p) ** (errors - k);
    const upTo = (p: number, k: number) =>
      Array.from({ length: k + 1 }, (_, i) => term(p, i)).reduce((sum, each) => sum + each, 0);
    expect(1 - upTo(low, hits - 1)).toBeCloseTo(0.025, 2);
    expect(upTo(high, hits)).toBeCloseTo(0.025, 2);
  });

  it('does not become surer by the first corruption that it sees', () => {
    const short = Array.from({ length: 100 }, () => 1);
    const unseen = sampleCorruption(short, 50, 2).high;
    for (const seen of [50.5, 75, 100, Infinity]) {
      expect(sampleCorruption([...short.slice(1), seen], 50, 2).high).toBeGreaterThan(0.97 * unseen);
    }
    // One sample alone says next to nothing, whatever it is.
    expect(sampleCorruption([62.5], 50, 2).high).toBeGreaterThan(0.9);
    expect(sampleCorruption([62.5], 50, 2).low).toBeLessThan(0.1);
  });

  it('does not call an unseen corruption impossible', () => {
    const estimate = sampleCorruption([1, 2, 3], 50, 2);
    expect(estimate.value).toBe(0);
    expect(estimate.high).toBeCloseTo(1 - 0.025 ** (1 / 3), 14);
    expect(unseenBound(1000)).toBeCloseTo(3.6889 / 1000, 4);
    expect(sampleCorruption([Infinity, 1000], 50, 2).low).toBeCloseTo(0.025 ** 0.5, 14);
  });

  it('repeats itself for a seed', () => {
    expect(sampleCorruption([1, 60, 80], 50, 2, { seed: 2 })).toEqual(
      sampleCorruption([1, 60, 80], 50, 2, { seed: 2 }),
    );
  });
});

describe('the interval of a target, for any distribution', () => {
  it('is that of the closed form for the exponential', () => {
    for (const [target, k] of [
      [0.3, 1],
      [0.02, 2],
      [1e-6, 4],
    ] as const) {
      expect(
        intervalOfTarget(exponentialLatency(0.0599), target, k) / intervalOfCorruption(target, 0.0599, k),
      ).toBeCloseTo(1, 9);
    }
  });

  it('does not exist when too many errors are never detected', () => {
    const latency = empiricalLatency([10, 20, 30, Infinity]);
    expect(() => intervalOfTarget(latency, 0.2, 2)).toThrow(/no interval brings .* 0\.25/);
    expect(intervalOfTarget(latency, 0.25, 2)).toBeCloseTo(30, 6);
  });
});

describe('the history of a target, for any distribution', () => {
  it('is the smallest that is enough', () => {
    expect(retainedOfTarget(exponentialLatency(0.0599), 0.02, 50)).toBe(2);
    expect(retainedOfTarget(exponentialLatency(0.0599), 0.32, 50)).toBe(1);
    expect(retainedOfTarget(fixedLatency(200), 0.01, 50)).toBe(5);
    expect(retainedOfTarget(empiricalLatency([10, Infinity]), 0.4, 50)).toBeUndefined();
  });
});

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return result;
}
