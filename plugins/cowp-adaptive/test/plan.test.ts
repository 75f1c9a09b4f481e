import { epochWriting } from '@rmk/testing/conformance';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preSavingPays } from '../src/index.js';

const histories = fc.array(fc.uniqueArray(fc.nat(40), { maxLength: 12 }).map(epochWriting), { maxLength: 6 });

describe('whether pre-saving pays', () => {
  it('is yes until two epochs can be compared', () => {
    expect(preSavingPays([], 2)).toBe(true);
    expect(preSavingPays([epochWriting([1, 2])], 2)).toBe(true);
  });

  it('is yes where epochs write the same pages, no where they write others', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(40), { minLength: 1 }),
        fc.integer({ min: 2, max: 6 }),
        (frames, count) => {
          const same = Array.from({ length: count }, () => epochWriting(frames));
          const others = Array.from({ length: count }, (_, index) =>
            epochWriting(frames.map((frame) => frame + 100 * index)),
          );
          expect(preSavingPays(same, 1.1)).toBe(true);
          expect(preSavingPays(others, 100)).toBe(false);
        },
      ),
    );
  });

  it('is yes the sooner the dearer a page fault is', () => {
    fc.assert(
      fc.property(histories, (history) => {
        if (preSavingPays(history, 2)) expect(preSavingPays(history, 3)).toBe(true);
      }),
    );
    const half = [epochWriting([1, 2]), epochWriting([1, 3])];
    expect(preSavingPays(half, 2)).toBe(true);
    expect(preSavingPays(half, 1.9)).toBe(false);
  });
});
