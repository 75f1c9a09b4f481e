import { parseLatencySamples, proportion } from '@rmk/model';
import { describe, expect, it } from 'vitest';
import { experimentsFor, isFailureOfRmk, latencySamples, summarise } from '../../src/index.js';
import { recordOf } from '../recordFixture.js';

const { detection: _, ...undetected } = recordOf(0, { detections: 0, recoveries: [] });
const records = [
  recordOf(0),
  recordOf(1),
  recordOf(2, { outcome: 'restarted' }),
  recordOf(3, { outcome: 'unnecessary-rollback', twin: 'right' }),
  { ...undetected, number: 4, outcome: 'masked', twin: 'right', control: 'agrees' } as const,
  {
    ...undetected,
    number: 5,
    outcome: 'silent-data-corruption',
    end: 'wrong-result',
    twin: 'wrong-result',
    watchedNs: 250e6,
  } as const,
];

describe('the summary of a campaign', () => {
  it('counts each class once, and rates with the intervals of Wilson', () => {
    const summary = summarise(records);
    expect(Object.values(summary.outcomes).reduce((sum, count) => sum + count)).toBe(records.length);
    expect(summary).toMatchObject({
      injected: 6,
      detected: 3,
      effective: 4,
      control: { agrees: 1, disagrees: 0 },
    });
    expect(summary.recoveredOfDetected).toEqual(proportion(2, 3));
    expect(summary.recoveredOfEffective).toEqual(proportion(2, 4));
    expect(summary.twins).toEqual({
      right: { 'unnecessary-rollback': 1, masked: 1 },
      'wrong-result': { 'silent-data-corruption': 1 },
      failed: {},
      hang: { recovered: 2, restarted: 1 },
    });
  });

  it('gives no rate of nothing', () => {
    const { recoveredOfDetected, recoveredOfEffective } = summarise([]);
    expect([recoveredOfDetected, recoveredOfEffective]).toEqual([undefined, undefined]);
  });

  it('plans as many experiments as a margin needs, and not one more', () => {
    for (const margin of [0.2, 0.05, 0.01]) {
      const count = experimentsFor(margin);
      const halfOf = (trials: number): number => {
        const { low, high } = proportion(trials / 2, trials);
        return (high - low) / 2;
      };
      expect(halfOf(count)).toBeLessThanOrEqual(margin);
      expect(halfOf(count - 1)).toBeGreaterThan(margin);
    }
    expect(experimentsFor(0.01)).toBe(9600);
  });

  it('holds against RMK what broke a healthy guest, and what a control contradicts', () => {
    expect(records.some(isFailureOfRmk)).toBe(false);
    expect(isFailureOfRmk(recordOf(0, { outcome: 'broke-healthy-guest' }))).toBe(true);
    expect(isFailureOfRmk(recordOf(0, { control: 'disagrees' }))).toBe(true);
  });
});

describe('the latency samples', () => {
  it('are those of the effective faults, cut off where nothing was detected, as the model reads them', () => {
    const { samples, warnings } = parseLatencySamples(latencySamples(records));
    expect(samples).toEqual([0.00001, 0.00001, 0.00001, { longerThanMs: 250 }]);
    expect(warnings).toEqual([]);
  });
});
