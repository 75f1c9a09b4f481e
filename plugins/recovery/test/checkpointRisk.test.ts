import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpointRisk } from '../src/checkpointRisk.js';

const MS = 1e6;
/** 95 % of crashes within 50 ms (§4). */
const latency = { boundNs: 50 * MS, quantile: 0.95 };
const time = fc.integer({ min: 0, max: 500 }).map((ms) => ms * MS);

describe('the probability that a checkpoint holds the error', () => {
  it('is the share of errors that take longer than the checkpoint is old', () => {
    expect(checkpointRisk({ atNs: 100 * MS, latency }, 100 * MS)).toBe(1);
    expect(checkpointRisk({ atNs: 100 * MS, latency }, 50 * MS)).toBeCloseTo(0.05, 12);
    expect(checkpointRisk({ atNs: 100 * MS, latency }, 0)).toBeCloseTo(0.0025, 12);
  });

  it.each([
    [20, 58.3],
    [50, 31.7],
    [115, 14.5],
  ])('is on average over an interval of %d ms that of eq. 5: %d % (table 1)', (intervalMs, percent) => {
    const steps = 10_000;
    const sum = Array.from({ length: steps }, (_, step) => {
      const ageNs = ((step + 0.5) / steps) * intervalMs * MS;
      return checkpointRisk({ atNs: ageNs, latency }, 0) ?? NaN;
    }).reduce((total, risk) => total + risk, 0);
    expect((100 * sum) / steps).toBeCloseTo(percent, 0);
  });

  it('is 0 where the guest was healthy when it was taken, and unknown where it was suspect', () => {
    fc.assert(
      fc.property(time, time, time, (atNs, suspectSinceNs, takenAtNs) => {
        expect(checkpointRisk({ atNs, suspectSinceNs, latency }, takenAtNs)).toBe(
          takenAtNs <= suspectSinceNs ? 0 : undefined,
        );
      }),
    );
  });

  it('of a latency that is certain to be shorter than a bound is 0 beyond that, and else unknown', () => {
    const certain = { boundNs: 50 * MS };
    expect(checkpointRisk({ atNs: 100 * MS, latency: certain }, 50 * MS)).toBe(0);
    expect(checkpointRisk({ atNs: 100 * MS, latency: certain }, 51 * MS)).toBeUndefined();
    expect(checkpointRisk({ atNs: 100 * MS, latency: { boundNs: 0 } }, 100 * MS)).toBe(0);
    expect(checkpointRisk({ atNs: 100 * MS, latency: { boundNs: 0, quantile: 0.95 } }, 100 * MS)).toBe(0);
  });
});
