import { empiricalLatency } from '../src/corruption/empiricalLatency.js';
import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exponentialCorruption,
  exponentialRuleCorruption,
  logExponentialCorruption,
} from '../src/corruption/exponentialCorruption.js';
import {
  exponentialLatency,
  fixedLatency,
  type LatencyDistribution,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';
import { boundOfRisk, ruleCorruption, ruleRetained } from '../src/corruption/rollbackRule.js';
import { incompleteGamma, logGamma } from '../src/numerics/incompleteGamma.js';
import { seededRandom } from '../src/numerics/random.js';
import { EACH_LATENCY } from './latencies.js';
import { powersOfTen } from './generators.js';

const Exact = Decimal.clone({ precision: 60, minE: -9e15, maxE: 9e15 });

/** The probability by the rule, with 60 digits. */
function exact(rate: number, intervalMs: number, boundMs: number): Decimal {
  const x = new Exact(rate).times(intervalMs);
  return new Exact(rate).times(boundMs).neg().exp().times(new Exact(1).minus(x.neg().exp())).div(x);
}

/**
 * Plays detections in a ring of checkpoints at 0, T, 2 T, ... and counts those whose target, the newest one taken at or
 * before the detection less T_B, was taken after the error. It knows nothing of ages.
 */
function playedCorruption(latency: LatencyDistribution, intervalMs: number, boundMs: number, trials: number) {
  const random = seededRandom(5);
  let corrupted = 0;
  for (let trial = 0; trial < trials; trial++) {
    const errorAt = 1e6 + random() * intervalMs;
    const detectedAt = errorAt + latency.sample(random);
    const target = Math.floor((detectedAt - boundMs) / intervalMs) * intervalMs;
    if (target > errorAt) corrupted++;
  }
  return corrupted / trials;
}

describe('the corruption of the rule’s target', () => {
  it('is e^(-λ T_B) (1 - e^(-λ T_ck)) / (λ T_ck) with 60 digits, for exponential latencies', () => {
    fc.assert(
      fc.property(powersOfTen(-6, 3), powersOfTen(-3, 5), powersOfTen(-3, 5), (rate, t, bound) => {
        const wanted = exact(rate, t, bound);
        const value = exponentialRuleCorruption(rate, t, bound);
        if (wanted.greaterThan(1e-300)) {
          expect(new Exact(value).div(wanted).minus(1).abs().toNumber()).toBeLessThan(
            1e-15 * (3 + rate * bound),
          );
        } else {
          expect(value).toBeLessThan(1e-299);
        }
      }),
      { numRuns: 120 },
    );
  });

  it('is eq. 5 for T_B = 0 and eq. 6 for T_B = T_ck', () => {
    fc.assert(
      fc.property(powersOfTen(-4, 0), powersOfTen(0, 2.5), (rate, t) => {
        const latency = exponentialLatency(rate);
        const single = ruleCorruption(latency, { intervalMs: t, boundMs: 0 });
        const dual = ruleCorruption(latency, { intervalMs: t, boundMs: t });
        expect(single).toBe(exponentialCorruption(rate, t, 1));
        expect(Math.abs(dual - exponentialCorruption(rate, t, 2))).toBeLessThanOrEqual(4e-16 * dual);
        expect(Math.abs(Math.log(dual) - logExponentialCorruption(rate, t, 2))).toBeLessThan(
          1e-13 * (1 + rate * t),
        );
      }),
    );
    // Table 1: 95 % and 70 %.
    const paper = exponentialLatency(0.0599);
    expect(ruleCorruption(paper, { intervalMs: 50, boundMs: 0 })).toBeCloseTo(0.317, 3);
    expect(ruleCorruption(paper, { intervalMs: 50, boundMs: 50 })).toBeCloseTo(0.0159, 4);
    expect(ruleCorruption(paper, { intervalMs: 20, boundMs: 20 })).toBeCloseTo(0.176, 3);
  });

  it('is a difference of incomplete gamma functions for Weibull latencies and any T_B', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 4, noNaN: true }),
        powersOfTen(0, 2.3),
        powersOfTen(-1, 3),
        powersOfTen(-1, 2.5),
        (shape, scale, t, bound) => {
          const tail = (u: number) => incompleteGamma(1 / shape, (u / scale) ** shape).upper;
          const closed =
            ((scale / shape) * Math.exp(logGamma(1 / shape)) * (tail(bound) - tail(bound + t))) / t;
          const ours = ruleCorruption(weibullLatency(shape, scale), { intervalMs: t, boundMs: bound });
          expect(Math.abs(ours - closed)).toBeLessThan(1e-10 * closed + (1e-13 * scale) / t);
        },
      ),
    );
  });

  it.each(EACH_LATENCY)('$name: is what a ring of checkpoints shows', (latency) => {
    for (const [intervalMs, boundMs] of [
      [50, 0],
      [50, 50],
      [20, 50],
      [50, 20],
      [30, 105],
    ] as const) {
      const p = ruleCorruption(latency, { intervalMs, boundMs });
      const trials = 20_000;
      expect(Math.abs(playedCorruption(latency, intervalMs, boundMs, trials) - p)).toBeLessThanOrEqual(
        4.5 * Math.sqrt((p * (1 - p)) / trials) + 1e-12,
      );
    }
  });

  it.each(EACH_LATENCY)(
    '$name: falls with T_B, and is that of the oldest of k for T_B = (k-1) T_ck',
    (latency) => {
      let before = Infinity;
      for (const boundMs of [0, 1, 10, 40, 50, 99, 100, 250]) {
        const p = ruleCorruption(latency, { intervalMs: 50, boundMs });
        expect(p).toBeLessThanOrEqual(before);
        before = p;
        const retained = boundMs / 50 + 1;
        if (Number.isInteger(retained)) expect(p).toBe(latency.corruption(50, retained));
      }
    },
  );

  it('refuses bounds and intervals that are none', () => {
    for (const latency of EACH_LATENCY) {
      expect(() => ruleCorruption(latency, { intervalMs: 50, boundMs: -1 })).toThrow(
        /latency bound .* not -1/,
      );
      expect(() => ruleCorruption(latency, { intervalMs: 0, boundMs: 1 })).toThrow(/interval .* not 0/);
      expect(() => ruleCorruption(latency, { intervalMs: 50, boundMs: Number.NaN })).toThrow(/RMK_ERR_INPUT/);
      expect(() => latency.corruption(50, 1.5)).toThrow(/retained checkpoints must be a whole number/);
      expect(() => latency.cleanAgeFrom(0, -2)).toThrow(/interval .* not -2/);
    }
    expect(() => exponentialRuleCorruption(1, 50, Infinity)).toThrow(/latency bound/);
    expect(() => exponentialRuleCorruption(0, 50, 1)).toThrow(/latency rate/);
    expect(() => exponentialRuleCorruption(1, 0, 1)).toThrow(/interval/);
  });
});

describe('the checkpoints to retain, ⌈T_B / T_ck⌉ + 1', () => {
  it('are those with which the rule always has a target, and one fewer leaves moments without', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 2000 }), (interval, bound) => {
        const retained = ruleRetained({ intervalMs: interval, boundMs: bound });
        // The oldest checkpoint is (retained - 1) T old right after a new one.
        const leastAgeOfOldest = (retained - 1) * interval;
        expect(leastAgeOfOldest).toBeGreaterThanOrEqual(bound);
        if (retained > 1) expect(leastAgeOfOldest - interval).toBeLessThan(bound);
        // The same in milliseconds with decimals.
        expect(ruleRetained({ intervalMs: interval / 1000, boundMs: bound / 1000 })).toBe(retained);
      }),
    );
  });

  it.each([
    [50, 0, 1],
    [50, 50, 2],
    [50, 215, 6],
    [20, 50, 4],
    [500, 50, 2],
    [0.1, 1.1, 12],
    [0.1, 0.3, 4],
  ])('every %d ms with T_B = %d ms: %d', (intervalMs, boundMs, retained) => {
    expect(ruleRetained({ intervalMs, boundMs })).toBe(retained);
  });

  it('are refused for bounds and intervals that are none', () => {
    expect(() => ruleRetained({ intervalMs: 0, boundMs: 1 })).toThrow(/interval/);
    expect(() => ruleRetained({ intervalMs: 1, boundMs: -1 })).toThrow(/latency bound/);
    expect(() => ruleRetained({ intervalMs: 1, boundMs: Infinity })).toThrow(/latency bound/);
  });
});

describe('T_B from a target risk', () => {
  it('is the inverse of the closed form for exponential latencies', () => {
    fc.assert(
      fc.property(powersOfTen(-3, 0), powersOfTen(0, 3), powersOfTen(-9, -0.01), (rate, t, risk) => {
        const x = rate * t;
        const closed = Math.max(0, (Math.log(-Math.expm1(-x) / x) - Math.log(risk)) / rate);
        const bound = boundOfRisk(exponentialLatency(rate), risk, t);
        expect(Math.abs(bound - closed)).toBeLessThan(1e-9 * (closed + 1 / rate));
      }),
    );
  });

  it.each(EACH_LATENCY.slice(0, 3))('$name: meets the risk, and nothing shorter does', (latency) => {
    for (const risk of [0.2, 0.02, 1e-3]) {
      const bound = boundOfRisk(latency, risk, 50);
      expect(ruleCorruption(latency, { intervalMs: 50, boundMs: bound })).toBeLessThanOrEqual(risk);
      if (bound > 0) {
        expect(ruleCorruption(latency, { intervalMs: 50, boundMs: bound * (1 - 1e-6) })).toBeGreaterThan(
          risk,
        );
      }
    }
  });

  it('is nothing where the newest checkpoint is good enough, and is refused where no bound is', () => {
    expect(boundOfRisk(exponentialLatency(0.06), 0.4, 50)).toBe(0);
    expect(boundOfRisk(fixedLatency(200), 0.5, 50)).toBe(175);
    expect(() => boundOfRisk(empiricalLatency([1, Infinity]), 0.02, 50)).toThrow(
      /no latency bound brings the risk down to 0\.02: 0\.5 of the errors are never detected/,
    );
    expect(() => boundOfRisk(fixedLatency(1), 0, 50)).toThrow(/accepted risk/);
  });
});
