import * as fc from 'fast-check';
import { TimerQueue, type Timer } from '@rmk/driver';
import { describe, expect, it } from 'vitest';

const moments = fc.array(fc.nat(20), { maxLength: 60 });

function fireAll(queue: TimerQueue, byNs: number): void {
  while (queue.fireDue(byNs));
}

describe('timers', () => {
  it('fire by their moments, and those of one moment in the order in which they were added', () => {
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

  it('are those of a sorted list, whatever is added, removed and fired in between', () => {
    const step = fc.oneof(
      fc.record({
        does: fc.constant('add' as const),
        atNs: fc.nat(20),
        everyNs: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      }),
      fc.record({ does: fc.constant('remove' as const), which: fc.nat(30) }),
      fc.record({ does: fc.constant('fire' as const), byNs: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = new TimerQueue();
        const added: Timer[] = [];
        const fired: number[] = [];
        const firedOfModel: number[] = [];
        let model: { id: number; atNs: number; everyNs: number | undefined }[] = [];
        const sort = (): void =>
          void (model = model.toSorted((one, other) => one.atNs - other.atNs || one.id - other.id));
        for (const now of steps) {
          if (now.does === 'add') {
            const id = added.length;
            added.push(queue.add(now.atNs, now.everyNs, () => void fired.push(id)));
            model.push({ id, atNs: now.atNs, everyNs: now.everyNs });
            sort();
          } else if (now.does === 'remove') {
            const timer = added[now.which];
            if (timer === undefined) continue;
            const isSet = model.some(({ id }) => id === now.which);
            expect(queue.remove(timer)).toBe(isSet);
            model = model.filter(({ id }) => id !== now.which);
          } else {
            const [next] = model;
            const isDue = next !== undefined && next.atNs <= now.byNs;
            expect(queue.fireDue(now.byNs)).toBe(isDue);
            if (isDue) {
              firedOfModel.push(next.id);
              if (next.everyNs === undefined) model.shift();
              else next.atNs += next.everyNs;
              sort();
            }
          }
          expect(queue.length).toBe(model.length);
          expect(queue.nextNs).toBe(model[0]?.atNs ?? Infinity);
        }
        expect(fired).toEqual(firedOfModel);
      }),
      { numRuns: 300 },
    );
  });

  it('of an interval are set again before they run', () => {
    const queue = new TimerQueue();
    const next: number[] = [];
    queue.add(3, 5, () => void next.push(queue.nextNs));
    fireAll(queue, 14);
    expect(next).toEqual([8, 13, 18]);
  });

  it('that fire once are gone before they run', () => {
    const queue = new TimerQueue();
    const timer = queue.add(3, undefined, () => expect(queue.remove(timer)).toBe(false));
    fireAll(queue, 3);
    expect(queue.length).toBe(0);
  });

  it('that are removed do not fire, and are removed once', () => {
    const queue = new TimerQueue();
    const timer = queue.add(1, 1, () => expect.unreachable('it was removed'));
    expect([queue.remove(timer), queue.remove(timer)]).toEqual([true, false]);
    fireAll(queue, 10);
    expect(queue.nextNs).toBe(Infinity);
  });

  it('belong to one queue: another does not remove them', () => {
    const [one, other] = [new TimerQueue(), new TimerQueue()];
    const timer = one.add(1, undefined, () => undefined);
    other.add(1, undefined, () => undefined);
    expect([other.remove(timer), one.length, other.length]).toEqual([false, 1, 1]);
  });

  it('are all gone once the queue is cleared', () => {
    const queue = new TimerQueue();
    const timer = queue.add(1, undefined, () => expect.unreachable('it was removed'));
    queue.clear();
    expect([queue.fireDue(5), queue.remove(timer), queue.length]).toEqual([false, false, 0]);
  });

  it('are compared a few times each, however many there are', () => {
    const queue = new TimerQueue();
    let reads = 0;
    const count = 4096;
    const timers = Array.from({ length: count }, (_, index) => {
      const timer = queue.add((index * 2654435761) % count, undefined, () => undefined);
      const { atNs } = timer;
      Object.defineProperty(timer, 'atNs', { get: () => (reads++, atNs) });
      return timer;
    });
    for (const timer of timers) queue.remove(timer);
    // A search through the list would read some 8 million moments.
    expect(reads).toBeLessThan(count * 12 * 16);
  });
});
