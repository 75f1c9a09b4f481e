import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembled, CYCLE_NS, sleeps, spins, stores } from './guestFixtures.js';

const PLAN = { preSave: 'none' } as const;

describe('the domain clock', () => {
  it('fires each timer at the first instruction boundary at or after its moment, in the order of the moments', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 3000 }),
        async (delaysNs, sliceCycles) => {
          const { hypervisor, machine } = assembled(spins, {}, { slice: `${sliceCycles * CYCLE_NS}ns` });
          const fired: { delayNs: number; set: number; atNs: number; instructions: number }[] = [];
          delaysNs.forEach((delayNs, set) =>
            machine.clock.after(delayNs, () => {
              fired.push({ delayNs, set, atNs: machine.clock.now(), instructions: machine.instructions });
            }),
          );
          await hypervisor.run({ untilNs: 500_000 });
          const expected = delaysNs
            .map((delayNs, set) => ({ delayNs, set }))
            .toSorted((one, other) => one.delayNs - other.delayNs || one.set - other.set)
            .map(({ delayNs, set }) => {
              const instructions = Math.ceil(delayNs / CYCLE_NS);
              return { delayNs, set, atNs: instructions * CYCLE_NS, instructions };
            });
          expect(fired).toEqual(expected);
          expect(machine.instructions).toBe(50_000);
          expect(machine.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('fires at the same instructions whether or not the guest sleeps meanwhile', async () => {
    const { hypervisor, machine } = assembled(sleeps(1000));
    const firedNs: number[] = [];
    machine.clock.every(33_330, () => void firedNs.push(machine.clock.now()));
    await hypervisor.run({ untilNs: 1e6 });
    expect(firedNs).toEqual(Array.from({ length: 30 }, (_, i) => (i + 1) * 33_330));
    expect(machine.guestNs).toBe(1e6);
  });

  it('repeats at each multiple of the interval, however many cycles that is', async () => {
    const { hypervisor, machine } = assembled(spins);
    const firedNs: number[] = [];
    machine.clock.every(25, () => void firedNs.push(machine.clock.now()));
    await hypervisor.run({ untilNs: 100 });
    expect(firedNs).toEqual([30, 50, 80]);
    await hypervisor.run({ untilNs: 110 });
    expect(firedNs).toEqual([30, 50, 80, 100]);
  });

  it('forgets a timer that is cancelled, also in a handler, and also its own', async () => {
    const { hypervisor, machine } = assembled(spins);
    const fired: string[] = [];
    const later = machine.clock.after(300, () => void fired.push('later'));
    const same = machine.clock.after(200, () => void fired.push('same moment'));
    let ticks = 0;
    const every = machine.clock.every(100, () => {
      fired.push(`tick ${++ticks}`);
      if (ticks < 2) return;
      every[Symbol.dispose]();
      later[Symbol.dispose]();
      later[Symbol.dispose]();
    });
    machine.clock.after(200, () => void fired.push('after'));
    same[Symbol.dispose]();
    await hypervisor.run({ untilNs: 1000 });
    expect(fired).toEqual(['tick 1', 'tick 2', 'after']);
    expect(machine.pendingTimers).toBe(0);
  });

  it('takes timers that a handler sets, those for now in the same moment', async () => {
    const { hypervisor, machine } = assembled(spins);
    const fired: [string, number][] = [];
    const note = (what: string): void => void fired.push([what, machine.clock.now()]);
    machine.clock.after(100, () => {
      note('outer');
      machine.clock.after(0, () => note('now'));
      machine.clock.after(50, () => note('inner'));
    });
    machine.clock.after(100, () => note('set before'));
    await hypervisor.run({ untilNs: 1000 });
    expect(fired).toEqual([
      ['outer', 100],
      ['set before', 100],
      ['now', 100],
      ['inner', 150],
    ]);
  });

  it.each([-1, NaN, Infinity])('refuses a delay of %d ns', (delayNs) => {
    const { machine } = assembled(spins);
    expect(() => machine.clock.after(delayNs, () => undefined)).toThrow('RMK_ERR_INPUT');
  });

  it.each([0, -1, 9.99, NaN, Infinity])('refuses an interval of %d ns', (intervalNs) => {
    const { machine } = assembled(spins);
    expect(() => machine.clock.every(intervalNs, () => undefined)).toThrow('RMK_ERR_INPUT');
  });

  it('does not go back on a rollback or a restart: it is ahead of guest time by what was undone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ before: fc.nat(2000), after: fc.nat(2000), how: fc.nat(4) }), { maxLength: 8 }),
        async (stretches) => {
          const { hypervisor, machine } = assembled(stores);
          let undoneNs = 0;
          let domainNs = 0;
          for (const { before, after, how } of stretches) {
            await hypervisor.run({ untilNs: (domainNs += before * CYCLE_NS) });
            const { context, log } = await machine.checkpoint(PLAN);
            const guestNs = machine.guestNs;
            await hypervisor.run({ untilNs: (domainNs += after * CYCLE_NS) });
            const reachedNs = machine.guestNs;
            if (how === 0) {
              await machine.restart();
              undoneNs += reachedNs;
            } else {
              await machine.suspend();
              const done = await machine.rollback({ context, logs: [log] }, PLAN);
              await machine.resume();
              expect(done.undoneNs).toBe(reachedNs - guestNs);
              undoneNs += done.undoneNs;
              log.release();
              done.log.release();
            }
            expect(machine.guestNs).toBe(how === 0 ? 0 : guestNs);
            expect(machine.clock.now()).toBe(domainNs);
            expect(machine.clock.now() - machine.guestNs).toBe(undoneNs);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keeps its timers across a rollback: they fire in domain time', async () => {
    const { hypervisor, machine } = assembled(stores);
    const fired: [domainNs: number, guestNs: number][] = [];
    machine.clock.every(1000, () => void fired.push([machine.clock.now(), machine.guestNs]));
    const { context, log } = await machine.checkpoint(PLAN);
    await hypervisor.run({ untilNs: 1500 });
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, PLAN);
    await machine.resume();
    await hypervisor.run({ untilNs: 3000 });
    await hypervisor.run({ untilNs: 3010 });
    expect(fired).toEqual([
      [1000, 1000],
      [2000, 500],
      [3000, 1500],
    ]);
  });
});
