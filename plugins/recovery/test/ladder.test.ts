import type { Checkpoint, Nanoseconds } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ladderAgain, ladderFor, suspectSince } from '../src/index.js';

const MS = 1e6;
/** How far between two checkpoints, evenly: fast-check's own doubles crowd at zero. */
const anyPhase = fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1000);
const time = fc.integer({ min: 0, max: 500 }).map((ms) => ms * MS);
const origin = fc.constantFrom<Checkpoint['origin']>('first', 'interval', 'request', 'rollback');

/** A ring: newest first; two checkpoints may be of one moment. */
const ring: fc.Arbitrary<readonly Checkpoint[]> = fc
  .array(fc.record({ takenAtNs: time, origin }), { maxLength: 8 })
  .map((checkpoints) => checkpoints.toSorted((a, b) => b.takenAtNs - a.takenAtNs));

/** The rule, in words of sets: taken at or before the guest became suspect. */
function mayUndo(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds) {
  return retained.filter(({ takenAtNs }) => takenAtNs <= suspectSinceNs);
}

function at(ms: number): Checkpoint {
  return { takenAtNs: ms * MS, origin: 'interval' };
}

describe('the time since which a guest is suspect', () => {
  it('is the last moment at which it was known to be healthy, however long the latency may be', () => {
    fc.assert(
      fc.property(time, time, time, (atNs, suspectSinceNs, boundNs) => {
        expect(suspectSince({ atNs, suspectSinceNs, latency: { boundNs } })).toBe(suspectSinceNs);
      }),
    );
  });

  it('is T_B before the detection where nobody knows that moment', () => {
    fc.assert(
      fc.property(time, time, (atNs, boundNs) => {
        expect(suspectSince({ atNs, latency: { boundNs, quantile: 0.95 } })).toBe(atNs - boundNs);
      }),
    );
  });
});

describe('the ladder for a new error', () => {
  it('has the checkpoints that predate the suspicion, the newest of them as the target, then older and older', () => {
    fc.assert(
      fc.property(ring, time, (retained, suspectSinceNs) => {
        const undoing = mayUndo(retained, suspectSinceNs);
        fc.pre(undoing.length > 0);
        const { candidates, noTargetBecause } = ladderFor(retained, suspectSinceNs);
        expect(candidates.map(({ checkpoint }) => checkpoint)).toEqual(undoing);
        expect(candidates.map(({ rung }) => rung)).toEqual(
          candidates.map((_, index) => (index === 0 ? 'target' : 'older')),
        );
        expect(noTargetBecause).toBeUndefined();
      }),
    );
  });

  it('gives the oldest checkpoint a chance, as rung `only`, where none predates the suspicion', () => {
    fc.assert(
      fc.property(ring, time, (retained, suspectSinceNs) => {
        fc.pre(retained.length > 0 && mayUndo(retained, suspectSinceNs).length === 0);
        const { candidates, noTargetBecause } = ladderFor(retained, suspectSinceNs);
        expect(candidates).toEqual([{ rung: 'only', checkpoint: retained.at(-1) }]);
        expect(noTargetBecause).toContain('the guest is suspect since');
      }),
    );
  });

  it('never leads to the newest checkpoint where T_B is an interval or more', () => {
    const intervals = fc.record({
      intervalMs: fc.integer({ min: 1, max: 500 }),
      retained: fc.integer({ min: 2, max: 6 }),
      phase: anyPhase,
      longer: fc.double({ min: 1, max: 6, noNaN: true }),
    });
    fc.assert(
      fc.property(intervals, ({ intervalMs, retained: count, phase, longer }) => {
        const retained = Array.from({ length: count }, (_, age) => at((count - age) * intervalMs));
        const atNs = (count + phase) * intervalMs * MS;
        const { candidates } = ladderFor(
          retained,
          suspectSince({ atNs, latency: { boundNs: longer * intervalMs * MS } }),
        );
        fc.pre(candidates[0]?.rung === 'target' && (phase > 0 || longer > 1));
        expect(candidates.map(({ checkpoint }) => checkpoint)).not.toContain(retained[0]);
      }),
    );
  });

  it('leads further back the longer the latency may be', () => {
    fc.assert(
      fc.property(ring, time, time, time, (retained, atNs, one, other) => {
        const targetAt = (boundNs: Nanoseconds) =>
          ladderFor(retained, suspectSince({ atNs, latency: { boundNs } })).candidates[0]?.checkpoint;
        const [shorter, longer] = [targetAt(Math.min(one, other)), targetAt(Math.max(one, other))];
        expect(longer?.takenAtNs ?? 0).toBeLessThanOrEqual(shorter?.takenAtNs ?? 0);
      }),
    );
  });

  it('always finds a target among ceil(T_B / T_ck) + 1 checkpoints, and not always among fewer', () => {
    const settings = fc.record({
      intervalMs: fc.integer({ min: 1, max: 200 }),
      boundMs: fc.integer({ min: 1, max: 500 }),
      phase: anyPhase,
    });
    const rungAt = (intervalMs: number, boundMs: number, phase: number, count: number) => {
      const retained = Array.from({ length: count }, (_, age) => at((count - age) * intervalMs));
      const atNs = (count + phase) * intervalMs * MS;
      return ladderFor(retained, suspectSince({ atNs, latency: { boundNs: boundMs * MS } })).candidates[0]
        ?.rung;
    };
    fc.assert(
      fc.property(settings, ({ intervalMs, boundMs, phase }) => {
        const needed = Math.ceil(boundMs / intervalMs) + 1;
        expect(rungAt(intervalMs, boundMs, phase, needed)).toBe('target');
        // At the very beginning of an interval one fewer does not reach back that far.
        expect(rungAt(intervalMs, boundMs, 0, needed - 1)).toBe('only');
      }),
    );
  });

  it('keeps those that may hold the error for when damage bars the others, the nearest to the target first', () => {
    fc.assert(
      fc.property(ring, time, (retained, suspectSinceNs) => {
        const { candidates, newer } = ladderFor(retained, suspectSinceNs);
        const all = [...newer.toReversed(), ...candidates].map(({ checkpoint }) => checkpoint);
        expect(all).toEqual(retained);
        expect(newer.every(({ rung }) => rung === 'newer')).toBe(true);
      }),
    );
  });

  it('is the dual-checkpoint scheme where two are retained and T_B is the interval: the older one', () => {
    const [newest, older] = [at(100), at(50)];
    const suspectSinceNs = suspectSince({ atNs: 130 * MS, latency: { boundNs: 50 * MS } });
    expect(ladderFor([newest, older], suspectSinceNs)).toEqual({
      candidates: [{ rung: 'target', checkpoint: older }],
      newer: [{ rung: 'newer', checkpoint: newest }],
    });
  });

  it('is the single-checkpoint scheme where T_B is 0: the newest one', () => {
    const newest = at(100);
    const suspectSinceNs = suspectSince({ atNs: 130 * MS, latency: { boundNs: 0 } });
    expect(ladderFor([newest], suspectSinceNs).candidates).toEqual([{ rung: 'target', checkpoint: newest }]);
  });

  it('gives the reason in terms of what can be done about it', () => {
    expect(ladderFor([], 100 * MS).noTargetBecause).toBe('no checkpoint is retained');
    expect(ladderFor([at(200), at(150)], 100 * MS).noTargetBecause).toBe(
      'the guest is suspect since 100 ms, and the oldest retained checkpoint was taken at 150 ms. ' +
        'Retain more checkpoints, or take them less often.',
    );
  });
});

describe('the ladder for the same failure again', () => {
  it('has what is older than the state that the last rollback reopened, and nothing else', () => {
    fc.assert(
      fc.property(ring, fc.nat({ max: 8 }), (retained, index) => {
        const left = retained[index];
        const { candidates, newer, noTargetBecause } = ladderAgain(retained, left);
        expect(candidates).toEqual(
          left === undefined
            ? []
            : retained.flatMap((checkpoint, age) => (age > index ? [{ rung: 'older', checkpoint }] : [])),
        );
        expect(newer).toEqual([]);
        expect(noTargetBecause === undefined).toBe(candidates.length > 0);
      }),
    );
  });

  it('is the one older checkpoint where there is no other', () => {
    const [left, older] = [at(100), at(50)];
    expect(ladderAgain([left, older], left)).toEqual({
      candidates: [{ rung: 'older', checkpoint: older }],
      newer: [],
    });
  });

  it('is empty where that state is no longer retained: all that is left is newer', () => {
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
        let left = ladderFor(retained, Infinity).candidates[0]?.checkpoint;
        let rest = left === undefined ? [] : retained.slice(retained.indexOf(left));
        let rollbacks = 0;
        for (; left !== undefined; rollbacks++) {
          const next = ladderAgain(rest, left).candidates[0]?.checkpoint;
          rest = next === undefined ? [] : rest.slice(rest.indexOf(next));
          left = next;
        }
        expect(rollbacks).toBe(retained.length);
      }),
    );
  });
});
