import { describe, expect, it } from 'vitest';
import { parameterSet } from '../src/availability/parameterSets.js';
import { availabilityOf, valuesOf } from '../src/availability/study.js';
import { tornado } from '../src/availability/tornado.js';
import { advise } from '../src/advice/advise.js';
import { manyVmsExact, manyVmsLumped } from '../src/availability/manyVms.js';
import { numbersUsedBy } from '../src/availability/usedNumbers.js';
import type { Setting, Variant } from '../src/availability/variant.js';
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

describe('the numbers that variants use', () => {
  const always = ['vmMttfHours', 'vmRestartSeconds', 'hypervisorMttfHours', 'hypervisorRestartSeconds'];
  const checkpoints = ['checkpointVmMttfHours', 'intervalMs'];
  const local = ['checkpointVmRestartSeconds', 'rollbackSeconds'];
  const described = ['latencyPercentile', 'latencyBoundMs'];
  const used = (variants: readonly Variant[], setting: Partial<Setting> = {}) =>
    [...numbersUsedBy(variants, { parameters, ...setting })].toSorted();
  const sorted = (...lists: readonly string[][]) => lists.flat().toSorted();

  it('are those of the VM and the hypervisor, and with checkpoints those of the checkpoints', () => {
    expect(used([])).toEqual(sorted(always));
    expect(used(['none'])).toEqual(sorted(always));
    expect(used(['dual'])).toEqual(sorted(always, checkpoints, local, described));
    expect(used(['k'])).toEqual(sorted(always, checkpoints, local, described, ['retained']));
    expect(used(['replica'])).toEqual(
      sorted(always, checkpoints, described, ['failoverSeconds', 'replicaRestartSeconds']),
    );
  });

  it('have no latency where that was measured, but for the bound of the rule', () => {
    const measured = { latency: fixedLatency(90) };
    expect(used(['dual'], measured)).toEqual(sorted(always, checkpoints, local));
    expect(used(['rule'], measured)).toEqual(sorted(always, checkpoints, local, ['latencyBoundMs']));
  });
});

describe('advice from uncertain slowdowns', () => {
  it('draws them from the normal distribution whose 95 % interval is given', () => {
    const slowdown = [{ intervalMs: 50, slowdown: 0.06, low: 0.02, high: 0.1 }];
    const { uncertainty, recommendation } = advise({ parameters, slowdown, draws: 2000, maxRetained: 2 });
    const { availability } = recommendation;
    expect(uncertainty).toMatchObject({ draws: 2000, from: ['slowdown'] });
    // The 2.5 % and 97.5 % quantiles of 2000 draws lie within a tenth of the half width, four times in five and more.
    expect(Math.abs(availability / uncertainty.utility.high - 1.02)).toBeLessThan(0.006);
    expect(Math.abs(availability / uncertainty.utility.low - 1.1)).toBeLessThan(0.006);
    expect(recommendation.downtimeMinutesPerYear).toBeCloseTo((1 - availability) * 525_600, 6);
  });
});

describe('many VMs', () => {
  it('count as up by their share, or only where all are', () => {
    const share = manyVmsLumped(2).states;
    const all = manyVmsLumped(2, 'all').states;
    const rewardOf = (states: typeof share, name: string) =>
      states.find((state) => state.name === name)?.reward;
    expect(share).toHaveLength(10);
    expect(rewardOf(share, '1 rolled back, 0 restarted')).toBe(0.5);
    expect(rewardOf(all, '1 rolled back, 0 restarted')).toBe(0);
    expect(rewardOf(all, '0 rolled back, 0 restarted')).toBe(1);
    expect(rewardOf(all, '0 down, unprotected')).toBe(1);
    expect(manyVmsExact(2, 'all').states.filter(({ reward }) => reward === 1)).toHaveLength(2);
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
