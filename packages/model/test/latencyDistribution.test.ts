import { empiricalLatency } from '../src/corruption/empiricalLatency.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clip,
  exponentialLatency,
  fixedLatency,
  logNormalLatency,
  mixedLatency,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';
import { incompleteGamma, logGamma } from '../src/numerics/incompleteGamma.js';
import { normalSurvival } from '../src/numerics/normal.js';
import { seededRandom } from '../src/numerics/random.js';
import { EACH_LATENCY } from './latencies.js';
import { powersOfTen, uniform } from './generators.js';

const intervals = powersOfTen(-1, 4);
const histories = fc.integer({ min: 1, max: 5 });

describe('corruption by numerical integration', () => {
  it('is the closed form for the exponential distribution, which is Weibull of shape 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1, noNaN: true }), intervals, histories, (rate, t, k) => {
        const closed = exponentialLatency(rate).corruption(t, k);
        expect(Math.abs(weibullLatency(1, 1 / rate).corruption(t, k) - closed)).toBeLessThan(
          1e-11 * closed + 1e-300,
        );
      }),
    );
  });

  it('is a difference of incomplete gamma functions for the Weibull distribution', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 4, noNaN: true }),
        fc.double({ min: 1, max: 200, noNaN: true }),
        intervals,
        histories,
        (shape, scale, t, k) => {
          const tail = (u: number) => incompleteGamma(1 / shape, (u / scale) ** shape).upper;
          const closed =
            ((scale / shape) * Math.exp(logGamma(1 / shape)) * (tail((k - 1) * t) - tail(k * t))) / t;
          expect(Math.abs(weibullLatency(shape, scale).corruption(t, k) - closed)).toBeLessThan(
            1e-10 * closed + (1e-13 * scale) / t,
          );
        },
      ),
    );
  });

  it('is a difference of normal probabilities for the log-normal distribution', () => {
    fc.assert(
      fc.property(
        uniform(-1, 5),
        fc.double({ min: 0.2, max: 2.5, noNaN: true }),
        intervals,
        histories,
        (mean, deviation, t, k) => {
          const score = (u: number) => (Math.log(u) - mean) / deviation;
          // ∫ P(l > u) du from 0 to b is E[min(l, b)].
          const least = (b: number) =>
            b === 0
              ? 0
              : b * normalSurvival(score(b)) +
                Math.exp(mean + deviation ** 2 / 2) * normalSurvival(deviation - score(b));
          const closed = (least(k * t) - least((k - 1) * t)) / t;
          const ours = logNormalLatency(mean, deviation).corruption(t, k);
          expect(Math.abs(ours - closed)).toBeLessThan(
            1e-9 * closed + (1e-12 * Math.exp(mean + deviation ** 2 / 2)) / t,
          );
        },
      ),
    );
  });

  it('finds a mass that is a millionth of the interval', () => {
    expect(weibullLatency(0.5, 1).corruption(1e6, 1)).toBeCloseTo(2e-6, 14);
    expect(weibullLatency(2, 1e6).corruption(1, 1)).toBeCloseTo(1, 12);
  });
});

describe('corruption without an integral', () => {
  const latencies = fc.array(fc.oneof(uniform(0, 500), fc.constant(Infinity)), {
    minLength: 1,
    maxLength: 40,
  });

  it('of samples is the mean of clip((l - (k-1) T) / T, 0, 1)', () => {
    fc.assert(
      fc.property(latencies, fc.double({ min: 1, max: 300, noNaN: true }), histories, (ls, t, k) => {
        const naive = ls.reduce((sum, l) => sum + clip((l - (k - 1) * t) / t), 0) / ls.length;
        expect(empiricalLatency(ls).corruption(t, k)).toBeCloseTo(naive, 11);
      }),
    );
  });

  it('of a class that is detected after 200 ms is certain at 50 ms dual, and never happens with 6 checkpoints', () => {
    const hang = fixedLatency(200);
    expect(hang.corruption(50, 2)).toBe(1);
    expect(hang.corruption(50, 4)).toBe(1);
    expect(hang.corruption(50, 5)).toBe(0);
    expect(hang.corruption(160, 2)).toBe(0.25);
    expect(fixedLatency(Infinity).corruption(1e9, 7)).toBe(1);
  });

  it('of classes is the mean over them', () => {
    const mixed = mixedLatency([
      { share: 0.9, latency: exponentialLatency(0.0599) },
      { share: 0.1, latency: fixedLatency(200) },
    ]);
    expect(mixed.corruption(50, 2)).toBeCloseTo(0.9 * exponentialLatency(0.0599).corruption(50, 2) + 0.1, 14);
    expect(() => mixedLatency([{ share: 0.9, latency: fixedLatency(1) }])).toThrow(/sum to 1, not 0.9/);
    expect(() =>
      mixedLatency([
        { share: -1, latency: fixedLatency(1) },
        { share: 2, latency: fixedLatency(1) },
      ]),
    ).toThrow(/RMK_ERR_INPUT/);
  });
});

describe('every distribution', () => {
  it.each(EACH_LATENCY)('$name: the share of long samples is the survival', (latency) => {
    const random = seededRandom(7);
    const drawn = Array.from({ length: 40_000 }, () => latency.sample(random));
    for (const limit of [1, 10, 50, 100]) {
      const share = drawn.filter((l) => l > limit).length / drawn.length;
      const p = latency.survival(limit);
      expect(Math.abs(share - p)).toBeLessThanOrEqual(4.5 * Math.sqrt((p * (1 - p)) / drawn.length));
    }
  });

  it.each(EACH_LATENCY)(
    '$name: the mean age of a clean target is what a simulation of ages gives',
    (latency) => {
      const random = seededRandom(11);
      for (const [t, k] of [
        [50, 1],
        [50, 2],
        [30, 4],
      ] as const) {
        const ages: number[] = [];
        for (let trial = 0; trial < 40_000; trial++) {
          const age = (k - 1 + random()) * t;
          ages.push(latency.sample(random) <= age ? age : 0);
        }
        const mean = ages.reduce((sum, age) => sum + age, 0) / ages.length;
        const deviation = Math.sqrt(ages.reduce((sum, age) => sum + (age - mean) ** 2, 0) / ages.length);
        expect(Math.abs(latency.cleanAge(t, k) - mean)).toBeLessThanOrEqual(
          (4.5 * deviation) / Math.sqrt(ages.length) + 1e-9,
        );
      }
    },
  );
});
