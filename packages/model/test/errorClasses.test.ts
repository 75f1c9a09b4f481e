import { describe, expect, it } from 'vitest';
import { errorClasses, retainedOf } from '../src/availability/errorClasses.js';
import { resolveParameters } from '../src/availability/parameterSets.js';
import { availabilityOf, solveVariant, valuesOf } from '../src/availability/study.js';
import { simulateSystem, systemOf } from '../src/availability/systemSimulation.js';
import { exponentialLatency } from '../src/corruption/latencyDistribution.js';

/** The README's system: crashes with T_B = 50 ms, hangs whose detector states 215 ms. */
const parameters = resolveParameters({
  classes: [
    {
      name: 'crash',
      share: 0.8,
      latency: { kind: 'percentile', percentile: 0.95, boundMs: 50 },
      boundMs: 50,
    },
    { name: 'hang', share: 0.2, latency: { kind: 'fixed', latencyMs: 200 }, boundMs: 215 },
  ],
});

describe('failure classes with the T_B of their detectors', () => {
  it('retain under the rule what the longest T_B needs: six checkpoints for 215 ms', () => {
    expect(retainedOf('rule', parameters)).toBe(6);
    expect(retainedOf('rule', { ...parameters, intervalMs: 500 })).toBe(2);
    expect(errorClasses('rule', { parameters }).map(({ boundMs }) => boundMs)).toEqual([50, 215]);
    expect(errorClasses('dual', { parameters }).map(({ boundMs }) => boundMs)).toEqual([50, 50]);
    expect(errorClasses('single', { parameters }).map(({ boundMs }) => boundMs)).toEqual([0, 0]);
  });

  it('corrupt each by their own bound: hangs under two checkpoints always, under the rule never', () => {
    const crash = exponentialLatency(-Math.log(0.05) / 50).corruptionFrom(50, 50);
    expect(valuesOf('dual', { parameters })['pc']).toBeCloseTo(0.8 * crash + 0.2, 12);
    expect(valuesOf('rule', { parameters })['pc']).toBeCloseTo(0.8 * crash, 12);
  });

  it('go by latencyBoundMs, or by the oldest checkpoint where the variant is not the rule, if they state none', () => {
    const latency = exponentialLatency(0.02);
    const own = { ...resolveParameters({}), intervalMs: 20, latencyBoundMs: 50, retained: 3 };
    expect(errorClasses('rule', { parameters: own, latency })).toEqual([{ share: 1, latency, boundMs: 50 }]);
    expect(errorClasses('k', { parameters: own, latency })).toEqual([{ share: 1, latency, boundMs: 40 }]);
    expect(retainedOf('rule', own)).toBe(4);
    expect(availabilityOf('rule', { parameters: { ...own, latencyBoundMs: 40 }, latency })).toBe(
      availabilityOf('k', { parameters: own, latency }),
    );
  });

  it('are what a simulation of the components plays', () => {
    const frail = {
      ...parameters,
      vmMttfHours: 5,
      checkpointVmMttfHours: 8,
      hypervisorMttfHours: 20,
      rollbackSeconds: 400,
      rollbackScope: 'rollback' as const,
    };
    for (const variant of ['dual', 'rule'] as const) {
      const { unavailability } = solveVariant(variant, { parameters: frail });
      const { low, high } = simulateSystem(systemOf(variant, { parameters: frail }), {
        cycles: 30_000,
        seed: 4,
        confidence: 0.99,
      });
      expect(unavailability).toBeGreaterThan(low);
      expect(unavailability).toBeLessThan(high);
      expect((high - low) / unavailability).toBeLessThan(0.15);
    }
  });

  it('give the figures of the README', () => {
    expect((100 * availabilityOf('dual', { parameters })).toFixed(4)).toBe('99.7819');
    expect((100 * availabilityOf('rule', { parameters })).toFixed(4)).toBe('99.9832');
  });
});
