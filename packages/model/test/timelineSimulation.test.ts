import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exponentialLatency,
  fixedLatency,
  logNormalLatency,
  mixedLatency,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';
import { simulateTimeline, timelineOutcome } from '../src/corruption/timelineSimulation.js';

/** Keeps a ring of checkpoints and takes them one by one, as an agent does. */
function playRing(
  offset: number,
  latency: number,
  interval: number,
  retained: number,
): { target: number; corrupted: boolean } {
  // History before the error: checkpoints from before time 0 are there too.
  const ring = Array.from({ length: retained }, (_, i) => i - retained + 1);
  for (let next = 1; next * interval <= offset + latency; next++) {
    ring.push(next);
    ring.shift();
  }
  const target = ring[0] ?? 0;
  return { target, corrupted: target * interval > offset };
}

describe('the timeline of figure 4', () => {
  it('keeps the same target as a ring of checkpoints does', () => {
    const ms = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(
        ms,
        ms,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (offset, latency, interval, retained) => {
          fc.pre(offset < interval);
          expect(timelineOutcome(offset, latency, interval, retained)).toEqual(
            playRing(offset, latency, interval, retained),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('corrupts the single checkpoint when a + l > T, the older of two when a + l > 2 T', () => {
    expect(timelineOutcome(20, 29, 50, 1).corrupted).toBe(false);
    expect(timelineOutcome(20, 31, 50, 1).corrupted).toBe(true);
    expect(timelineOutcome(20, 79, 50, 2).corrupted).toBe(false);
    expect(timelineOutcome(20, 81, 50, 2).corrupted).toBe(true);
  });

  const latencies = [
    exponentialLatency(0.0599),
    weibullLatency(0.6, 20),
    logNormalLatency(2.2, 1.3),
    mixedLatency([
      { share: 0.95, latency: exponentialLatency(0.0599) },
      { share: 0.05, latency: fixedLatency(200) },
    ]),
  ];

  it.each(
    latencies.flatMap((latency) => [1, 2, 3].map((retained) => ({ name: latency.name, latency, retained }))),
  )(
    '$name, $retained retained: the model lies in the confidence interval of a million errors',
    ({ latency, retained }) => {
      const { low, high } = simulateTimeline(latency, 50, retained, {
        trials: 1_000_000,
        seed: 1,
        confidence: 0.99,
      });
      const model = latency.corruption(50, retained);
      expect(model).toBeGreaterThanOrEqual(low);
      expect(model).toBeLessThanOrEqual(high);
      expect(high - low).toBeLessThan(0.0026);
    },
  );

  it('repeats itself for a seed', () => {
    const run = (seed: number) => simulateTimeline(exponentialLatency(0.06), 50, 2, { trials: 1000, seed });
    expect(run(3)).toEqual(run(3));
    expect(run(3).value).not.toBe(run(4).value);
  });
});
