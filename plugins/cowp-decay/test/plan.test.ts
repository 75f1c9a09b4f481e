import { epochWriting } from '@rmk/testing/conformance';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decayedPlan, frequencies } from '../src/index.js';

const histories = fc.array(fc.uniqueArray(fc.nat(40), { maxLength: 12 }).map(epochWriting), { maxLength: 6 });

const OPTIONS = { decay: 0.5, keep: 0.5, forget: 0.2 };

describe('decayed frequencies', () => {
  it('are 1 for what every epoch wrote, and at most 1', () => {
    fc.assert(
      fc.property(histories, (history) => {
        for (const [frame, frequency] of frequencies(history, 0.7)) {
          const inAll = history.every(({ updated }) => updated.includes(frame));
          expect(frequency).toBeGreaterThan(0);
          expect(frequency).toBeLessThanOrEqual(1 + 1e-12);
          expect(frequency > 1 - 1e-12).toBe(inAll);
        }
      }),
    );
  });

  it('count an epoch less the older it is', () => {
    const found = frequencies([epochWriting([1]), epochWriting([2]), epochWriting([2, 3])], 0.5);
    expect(found.get(1)).toBeCloseTo(1 / 1.75);
    expect(found.get(2)).toBeCloseTo(0.75 / 1.75);
    expect(found.get(3)).toBeCloseTo(0.25 / 1.75);
  });
});

describe('the plan by decayed frequency', () => {
  it('adds what is frequent, drops what is rare, and never both', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { add = new Uint32Array(), drop = new Uint32Array() } = decayedPlan(history, OPTIONS);
        const known = frequencies(history, OPTIONS.decay);
        for (const frame of add) expect(known.get(frame)).toBeGreaterThanOrEqual(OPTIONS.keep);
        for (const frame of drop) expect(known.get(frame)).toBeLessThan(OPTIONS.forget);
        expect(add.filter((frame) => drop.includes(frame))).toHaveLength(0);
      }),
    );
  });

  it('drops nothing on the word of two epochs', () => {
    const rare = [epochWriting([1]), epochWriting([1])];
    expect(decayedPlan([...rare, epochWriting([9])], OPTIONS).drop).toEqual(Uint32Array.of(9));
    expect(
      decayedPlan([epochWriting([1]), epochWriting([9])], { ...OPTIONS, forget: 0.4 }).drop,
    ).toHaveLength(0);
  });
});
