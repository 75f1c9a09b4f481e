import type { Checkpoint, Nanoseconds } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ladderAgain, ladderFor } from '../src/index.js';

const time = fc.integer({ min: 0, max: 500 }).map((ms) => ms * 1e6);
const origin = fc.constantFrom<Checkpoint['origin']>('first', 'interval', 'request', 'rollback');

/** A ring: newest first; two checkpoints may be of one moment. */
const ring: fc.Arbitrary<readonly Checkpoint[]> = fc
  .array(fc.record({ takenAtNs: time, origin }), { maxLength: 8 })
  .map((checkpoints) => checkpoints.toSorted((a, b) => b.takenAtNs - a.takenAtNs));

const since = fc.option(time, { nil: undefined });

/** The rule, in words of sets: not the newest, and from a time at which the guest is known to have been well. */
function mayUndo(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds | undefined) {
  const [, ...notTheNewest] = retained;
  return notTheNewest.filter(({ takenAtNs }) => takenAtNs <= (suspectSinceNs ?? Infinity));
}

describe('the ladder for a new error', () => {
  it('has exactly the checkpoints that may undo it, the newest of them as the target, then older and older', () => {
    fc.assert(
      fc.property(ring, since, (retained, suspectSinceNs) => {
        const { candidates } = ladderFor(retained, suspectSinceNs);
        expect(candidates.map(({ checkpoint }) => checkpoint)).toEqual(mayUndo(retained, suspectSinceNs));
        expect(candidates.map(({ rung }) => rung)).toEqual(
          candidates.map((_, index) => (index === 0 ? 'target' : 'older')),
        );
      }),
    );
  });

  it('never leads to the newest checkpoint, which the error may have reached', () => {
    fc.assert(
      fc.property(ring, since, (retained, suspectSinceNs) => {
        const { candidates } = ladderFor(retained, suspectSinceNs);
        expect(candidates.some(({ checkpoint }) => checkpoint === retained[0])).toBe(false);
      }),
    );
  });

  it('keeps those that may hold the error for when damage bars the others, the nearest to the target first', () => {
    fc.assert(
      fc.property(ring, since, (retained, suspectSinceNs) => {
        const { candidates, newer } = ladderFor(retained, suspectSinceNs);
        const all = [...newer.toReversed(), ...candidates].map(({ checkpoint }) => checkpoint);
        expect(all).toEqual(candidates.length === 0 ? [] : retained);
        expect(newer.every(({ rung }) => rung === 'newer')).toBe(true);
      }),
    );
  });

  it('says why where it is empty, and only there', () => {
    fc.assert(
      fc.property(ring, since, (retained, suspectSinceNs) => {
        const { candidates, emptyBecause } = ladderFor(retained, suspectSinceNs);
        expect(emptyBecause === undefined).toBe(candidates.length > 0);
      }),
    );
  });

  it('is the dual-checkpoint rule with two retained and a crash: the older one', () => {
    const [newest, older]: [Checkpoint, Checkpoint] = [
      { takenAtNs: 100e6, origin: 'interval' },
      { takenAtNs: 50e6, origin: 'interval' },
    ];
    expect(ladderFor([newest, older], undefined)).toEqual({
      candidates: [{ rung: 'target', checkpoint: older }],
      newer: [{ rung: 'newer', checkpoint: newest }],
    });
  });

  it('gives the reason in terms of what can be done about it', () => {
    const at = (ms: number): Checkpoint => ({ takenAtNs: ms * 1e6, origin: 'interval' });
    expect(ladderFor([], undefined).emptyBecause).toBe('no checkpoint is retained');
    expect(ladderFor([at(50)], 100e6).emptyBecause).toBe(
      'only the newest checkpoint is retained, which the error may have reached',
    );
    expect(ladderFor([at(200), at(150)], 100e6).emptyBecause).toBe(
      'no retained checkpoint is as old as the last sign that the guest was well (at 100 ms, the oldest is of 150 ms): ' +
        'retain more of them, or take them less often',
    );
  });
});

describe('the ladder for the same error again', () => {
  it('has what is older than the state that the last rollback left, and nothing else', () => {
    fc.assert(
      fc.property(ring, fc.nat({ max: 8 }), (retained, index) => {
        const left = retained[index];
        const { candidates, newer, emptyBecause } = ladderAgain(retained, left);
        expect(candidates).toEqual(
          left === undefined
            ? []
            : retained.flatMap((checkpoint, age) => (age > index ? [{ rung: 'older', checkpoint }] : [])),
        );
        expect(newer).toEqual([]);
        expect(emptyBecause === undefined).toBe(candidates.length > 0);
      }),
    );
  });

  it('is empty where that state is not retained any more: all that is left is newer', () => {
    fc.assert(
      fc.property(ring, (retained) => {
        const gone: Checkpoint = { takenAtNs: 0, origin: 'rollback' };
        expect(ladderAgain(retained, gone).candidates).toEqual([]);
      }),
    );
  });

  it('gets shorter with each time, so it comes to an end', () => {
    fc.assert(
      fc.property(ring, (retained) => {
        // Each rollback drops what is newer than its target, and puts one checkpoint in the place of that.
        let left = ladderFor(retained, undefined).candidates[0]?.checkpoint;
        let rest = left === undefined ? [] : retained.slice(retained.indexOf(left));
        let rollbacks = 0;
        for (; left !== undefined; rollbacks++) {
          const next = ladderAgain(rest, left).candidates[0]?.checkpoint;
          rest = next === undefined ? [] : rest.slice(rest.indexOf(next));
          left = next;
        }
        expect(rollbacks).toBe(Math.max(0, retained.length - 1));
      }),
    );
  });
});
