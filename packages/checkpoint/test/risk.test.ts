import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundOfRisk,
  corruptionRisk,
  latencyRate,
  measuredBoundOfRisk,
  measuredRisk,
  retainFor,
  risksOf,
} from '../src/index.js';

const LN20 = Math.log(20);
const NINETY_FIVE = { boundNs: 50, quantile: 0.95 };

describe('the risk that a rollback target holds the error', () => {
  it('is the worst case where the bound is certain: what the ring falls short of it, in intervals', () => {
    const risk = (boundNs: number) => corruptionRisk({ boundNs }, { retain: 4, intervalNs: 10 });
    expect([0, 30, 35, 40, 100].map(risk)).toEqual([0, 0, 0.5, 1, 1]);
  });

  it('is none for errors that are detected at once, whatever their quantile', () => {
    expect(corruptionRisk({ boundNs: 0, quantile: 0.95 }, { retain: 2, intervalNs: 10 })).toBe(0);
  });

  it('is that of eq. 6 of §4 for an exponential latency and a ring that reaches back T_B = T_ck', () => {
    expect(latencyRate(50, 0.95)).toBeCloseTo(LN20 / 50, 15);
    const risk = corruptionRisk(NINETY_FIVE, { retain: 2, intervalNs: 50 });
    expect(risk).toBeCloseTo((0.05 * 0.95) / LN20, 15);
    expect(corruptionRisk(NINETY_FIVE, { retain: 9, intervalNs: 50 })).toBe(risk);
  });

  it('is that of a shorter T_B where the ring reaches back less', () => {
    const rate = LN20 / 50;
    const survival = (1 - Math.exp(-10 * rate)) / (10 * rate);
    expect(corruptionRisk(NINETY_FIVE, { retain: 3, intervalNs: 10 })).toBeCloseTo(
      Math.exp(-20 * rate) * survival,
      14,
    );
    expect(corruptionRisk(NINETY_FIVE, { retain: 2, intervalNs: 0 })).toBe(1);
  });

  it('is shown with where it comes from', () => {
    const detections = [
      { kind: 'hang', boundNs: 200e6, plugin: 'certain' },
      { kind: 'crash', boundNs: 50e6, quantile: 0.95, plugin: 'likely' },
    ];
    expect(risksOf(detections, { retain: 5, intervalNs: 50e6 })).toEqual([
      { ...detections[0], risk: 0, from: 'certain declares at most 200 ms' },
      {
        ...detections[1],
        risk: corruptionRisk(NINETY_FIVE, { retain: 2, intervalNs: 50 }),
        from: 'likely declares 95 % within 50 ms, taken as exponential',
      },
    ]);
  });
});

it('a ring of ceil(T_B / T_ck) + 1 checkpoints always reaches back T_B', () => {
  expect([0, 1, 200, 201].map((boundNs) => retainFor(boundNs, 50))).toEqual([1, 2, 5, 6]);
});

describe('the bound of an accepted risk', () => {
  it('is the shortest in whole nanoseconds that keeps it', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.5, noNaN: true }), (accepted) => {
        const latency = { boundNs: 50e6, quantile: 0.95 };
        const boundNs = boundOfRisk(accepted, latency, 10e6);
        // The ring reaches back to the bound.
        const rate = latencyRate(latency.boundNs, latency.quantile);
        const risk = (ns: number) => (Math.exp(-rate * ns) * -Math.expm1(-rate * 10e6)) / (rate * 10e6);
        expect(risk(boundNs)).toBeLessThanOrEqual(accepted * (1 + 1e-9));
        expect(risk(boundNs - 1)).toBeGreaterThan(accepted * (1 - 1e-9));
      }),
    );
  });

  it('is 0 where every target keeps it', () => {
    expect(boundOfRisk(0.99, NINETY_FIVE, 50)).toBe(0);
  });
});

describe('measured latencies', () => {
  it('corrupt the share of the targets that are younger than they are', () => {
    expect(measuredRisk([10, 20, 30, Infinity], 10, 20)).toBe((0 + 0.5 + 1 + 1) / 4);
  });

  it('lead to the shortest bound in whole nanoseconds that keeps the risk', () => {
    expect(measuredBoundOfRisk(0.25, [100], 10)).toBe(98);
    // Above 2^53 not every nanosecond is a number.
    for (const longest of [2 ** 53 + 2, 1e17, 1e300]) {
      const bound = measuredBoundOfRisk(0.25, [longest, 1], 10) ?? 0;
      expect(measuredRisk([longest, 1], bound, 10)).toBeLessThanOrEqual(0.25);
    }
    expect(measuredBoundOfRisk(0.5, [5], 10)).toBe(0);
    expect(measuredBoundOfRisk(0.4, [5], 10)).toBe(1);
    expect(measuredBoundOfRisk(0.5, [Infinity, 100], 10)).toBe(100);
    expect(measuredBoundOfRisk(0.4, [Infinity, 100], 10)).toBeUndefined();
  });
});
