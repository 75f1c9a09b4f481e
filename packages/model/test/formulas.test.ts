import { describe, expect, it } from 'vitest';
import { parameterSet } from '../src/availability/parameterSets.js';
import { availabilityOf, valuesOf } from '../src/availability/study.js';
import { tornado } from '../src/availability/tornado.js';
import { CycleStatistics } from '../src/chain/simulation.js';
import { fixedLatency } from '../src/corruption/latencyDistribution.js';

const parameters = { ...parameterSet('reconstruction'), rollbackScope: 'rollback' as const };

describe('rates from parameters', () => {
  it('resume from disk in load, write and half an interval, which is the mean age of the newest complete one', () => {
    const own = { ...parameters, diskIntervalSeconds: 1000, diskWriteSeconds: 20, diskLoadSeconds: 7 };
    expect(valuesOf('disk', { parameters: own })['rd']).toBe(3600 / 527);
  });

  it('fail over in the failover and the mean age of one checkpoint: 25 ms at 50 ms with errors that show at once', () => {
    const own = { ...parameters, failoverSeconds: 2, replicaRestartSeconds: 30 };
    const values = valuesOf('replica', { parameters: own, latency: fixedLatency(0) });
    expect(values['rf']).toBeCloseTo(3600 / 2.025, 9);
    expect(values['rr']).toBe(120);
  });
});

describe('the tornado', () => {
  it('never takes pc above 1, nor beyond the interval that is known', () => {
    const certain = { parameters, latency: fixedLatency(90) };
    const bar = tornado('dual', certain).bars.find(({ input }) => input.startsWith('pc'));
    expect(bar).toMatchObject({ low: 0.8 / 1.5, high: 1 });
    expect(bar?.downtimeAtHigh).toBe((1 - availabilityOf('dual', certain, 1)) * 8760 * 60);
    const known = tornado('dual', certain, {
      corruption: { value: 0.8, low: 0.7, high: 0.9, confidence: 0.95 },
    });
    expect(known.bars.find(({ input }) => input.startsWith('pc'))).toMatchObject({ low: 0.7, high: 0.9 });
  });
});

describe('the interval of a simulation', () => {
  it('is the regenerative one: 1.96 standard deviations of a ratio of means', () => {
    const statistics = new CycleStatistics();
    for (const [length, down] of [
      [10, 1],
      [20, 1],
      [30, 4],
    ] as const) {
      statistics.add(length, down);
    }
    // 6 of 60 down; deviations down - length / 10 are 0, -1, 1, with variance 1 over n - 1, and a mean length of 20.
    const { value, low, high } = statistics.unavailability(0.95);
    const half = (1.959964 * Math.sqrt(1 / 3)) / 20;
    expect(value).toBeCloseTo(0.1, 14);
    expect(high - value).toBeCloseTo(half, 7);
    expect(value - low).toBeCloseTo(half, 7);
  });
});
