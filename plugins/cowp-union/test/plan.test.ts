import { epochWriting } from '@rmk/testing/conformance';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unionPlan } from '../src/index.js';

const histories = fc.array(fc.uniqueArray(fc.nat(40), { maxLength: 12 }).map(epochWriting), { maxLength: 6 });

describe('the plan of two epochs', () => {
  it('adds the pages of the newest closed epoch to those that the driver knows', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { preSave, add } = unionPlan(history);
        expect(preSave).toBe('updated');
        expect([...(add ?? [])]).toEqual([...(history[0]?.updated ?? [])]);
      }),
    );
  });
});
