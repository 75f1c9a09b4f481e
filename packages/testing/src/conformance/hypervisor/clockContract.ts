import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Nanoseconds } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import type { Stage } from './vmUnderTest.js';

const MS = 1e6;
const TURNS = 5;

/** Domain time, timers, and the hold. */
export function clockContract(stage: Stage): void {
  describe('the clock', () => {
    it('goes on by as much as the VM runs', async () => {
      const vm = await stage.vm();
      const beganNs = vm.nowNs;
      await vm.runFor(3 * MS);
      vm.expectOnTime(vm.nowNs, beganNs + 3 * MS, 'the end of the run');
    });

    it('runs timers in the order in which they are due, none before its time', async () => {
      const vm = await stage.vm();
      const beganNs = vm.nowNs;
      const ran: { readonly dueNs: Nanoseconds; readonly atNs: Nanoseconds }[] = [];
      for (const delayNs of [3 * MS, MS, 2 * MS]) {
        const dueNs = beganNs + delayNs;
        vm.keep(vm.machine.clock.after(delayNs, () => void ran.push({ dueNs, atNs: vm.nowNs })));
      }
      await vm.runFor(5 * MS + vm.slackNs);
      expect(ran.map(({ dueNs }) => dueNs - beganNs)).toEqual([MS, 2 * MS, 3 * MS]);
      for (const { atNs, dueNs } of ran) vm.expectOnTime(atNs, dueNs, 'a timer');
    });

    it('runs timers of one moment in the order in which they were set', async () => {
      const vm = await stage.vm();
      const ran: string[] = [];
      // Both timers need the same clock reading, and on some drivers domain time advances while they are set.
      await vm.machine.suspend();
      vm.keep(vm.machine.clock.after(2 * MS, () => void ran.push('first')));
      vm.keep(vm.machine.clock.after(2 * MS, () => void ran.push('second')));
      await vm.machine.resume();
      await vm.runFor(3 * MS + vm.slackNs);
      expect(ran).toEqual(['first', 'second']);
    });

    it('runs a repeated timer at each multiple of its interval', async () => {
      const vm = await stage.vm();
      const beganNs = vm.nowNs;
      const ranAtNs: Nanoseconds[] = [];
      vm.keep(vm.machine.clock.every(2 * MS, () => void ranAtNs.push(vm.nowNs)));
      await vm.runFor(9 * MS);
      expect(ranAtNs.length).toBeGreaterThan(0);
      if (vm.slackNs === 0) expect(ranAtNs).toHaveLength(4);
      for (const [index, atNs] of ranAtNs.entries()) {
        expect(atNs).toBeGreaterThanOrEqual(beganNs + (index + 1) * 2 * MS);
        if (vm.slackNs === 0) expect(atNs).toBe(beganNs + (index + 1) * 2 * MS);
      }
    });

    it('runs no timer that was disposed of, also from within itself', async () => {
      const vm = await stage.vm();
      let ran = 0;
      vm.machine.clock.after(MS, () => void ran++)[Symbol.dispose]();
      const repeated = vm.machine.clock.every(MS, () => {
        ran++;
        repeated[Symbol.dispose]();
      });
      await vm.runFor(6 * MS + vm.slackNs);
      expect(ran).toBe(1);
    });

    it('neither goes back in a rollback nor forgets its timers', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const checkpoint = await vm.checkpoint();
      let ranAtNs: Nanoseconds | undefined;
      const setAtNs = vm.nowNs;
      vm.keep(vm.machine.clock.after(8 * MS + vm.slackNs, () => void (ranAtNs = vm.nowNs)));
      await vm.machine.resume();
      await vm.runFor(2 * MS);
      await vm.machine.suspend();
      const beforeNs = vm.nowNs;
      const { atNs } = await vm.rollback([checkpoint]);
      expect(vm.nowNs).toBe(beforeNs);
      expect(atNs).toBe(beforeNs);
      await vm.machine.resume();
      await vm.runFor(10 * MS + 2 * vm.slackNs);
      expect(ranAtNs).toBeGreaterThanOrEqual(setAtNs + 8 * MS + vm.slackNs);
    });

    it('stops while the domain holds the VM', async ({ skip }) => {
      const vm = await stage.vm();
      skip(!vm.isDeterministic, "a driver without the capability 'deterministic' holds where it can");
      let pending: Promise<void> | undefined;
      let release = (): void => undefined;
      pending = new Promise((resolve) => {
        release = () => {
          pending = undefined;
          resolve();
        };
      });
      vm.machine.holdWhile(() => pending);
      const heldNs = vm.nowNs;
      const run = vm.runFor(MS);
      for (let turn = 0; turn < TURNS; turn++) await nextTurn();
      expect(vm.nowNs).toBe(heldNs);
      release();
      await run;
      expect(vm.nowNs).toBe(heldNs + MS);
    });

    it('stops at once when a timer starts a hold', async ({ skip }) => {
      const vm = await stage.vm();
      skip(!vm.isDeterministic, "a driver without the capability 'deterministic' holds where it can");
      let pending: Promise<void> | undefined;
      vm.machine.holdWhile(() => pending);
      const dueNs = vm.nowNs + MS;
      let releasedAtNs: Nanoseconds | undefined;
      vm.keep(
        vm.machine.clock.after(MS, () => {
          pending = (async () => {
            await nextTurn();
            releasedAtNs = vm.nowNs;
            pending = undefined;
          })();
        }),
      );
      await vm.runFor(2 * MS);
      expect(releasedAtNs).toBe(dueNs);
    });
  });
}
