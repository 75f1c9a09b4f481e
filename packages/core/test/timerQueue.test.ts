import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerQueue } from '../src/index.js';

const moments = fc.array(fc.nat(20), { maxLength: 20 });

/** Fires all that is due by then. */
function fireAll(queue: TimerQueue, byNs: number): void {
  while (queue.fireDue(byNs));
}

describe('timers', () => {
  it('fire by their moments, and those of one moment in the order in which they were set', () => {
    fc.assert(
      fc.property(moments, fc.nat(20), (all, byNs) => {
        const queue = new TimerQueue();
        const fired: { readonly atNs: number; readonly index: number }[] = [];
        for (const [index, atNs] of all.entries())
          queue.add(atNs, undefined, () => void fired.push({ atNs, index }));
        fireAll(queue, byNs);
        const due = all.map((atNs, index) => ({ atNs, index })).filter(({ atNs }) => atNs <= byNs);
        expect(fired).toEqual(due.toSorted((one, other) => one.atNs - other.atNs || one.index - other.index));
        expect(queue.length).toBe(all.length - due.length);
        expect(queue.nextNs).toBe(Math.min(Infinity, ...all.filter((atNs) => atNs > byNs)));
      }),
    );
  });

  it('of an interval are set again before they run', () => {
    const queue = new TimerQueue();
    const next: number[] = [];
    queue.add(3, 5, () => void next.push(queue.nextNs));
    fireAll(queue, 14);
    expect(next).toEqual([8, 13, 18]);
  });

  it('that are removed do not fire, and are removed once', () => {
    const queue = new TimerQueue();
    const timer = queue.add(1, 1, () => expect.unreachable('it was removed'));
    expect([queue.remove(timer), queue.remove(timer)]).toEqual([true, false]);
    fireAll(queue, 10);
    expect(queue.nextNs).toBe(Infinity);
  });
});
