import type { Facts, Nanoseconds } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import type { Stage } from './vmUnderTest.js';

const INTERVALS = 8;

/** What the driver reports, and when. The order of facts is checked after every test. */
export function factsContract(stage: Stage): void {
  describe('facts', () => {
    it('reports what the VM did at least every schedulingIntervalNs', async () => {
      const vm = await stage.vm();
      const { schedulingIntervalNs } = vm.machine;
      const reportedAtNs = [vm.nowNs];
      vm.observe('scheduled', ({ atNs }) => void reportedAtNs.push(atNs));
      await vm.runFor(INTERVALS * schedulingIntervalNs);
      reportedAtNs.push(vm.nowNs);
      expect(reportedAtNs.length, 'facts reported').toBeGreaterThan(2);
      for (const gapNs of gaps(reportedAtNs))
        expect(gapNs).toBeLessThanOrEqual(schedulingIntervalNs + vm.slackNs);
    });

    it('accounts for all domain time: running, idle, halted', async () => {
      const vm = await stage.vm();
      const facts: Facts['scheduled'][] = [];
      vm.observe('scheduled', (fact) => void facts.push(fact));
      await vm.runFor(INTERVALS * vm.machine.schedulingIntervalNs);
      expect(facts.length).toBeGreaterThan(1);
      for (const [index, { atNs, cpuNs, idleNs, haltedNs, state }] of facts.entries()) {
        for (const spentNs of [cpuNs, idleNs, haltedNs]) expect(spentNs).toBeGreaterThanOrEqual(0);
        expect(['ran', 'idle', 'halted']).toContain(state);
        const previous = facts[index - 1];
        if (previous === undefined) continue;
        const unaccountedNs = atNs - previous.atNs - (cpuNs + idleNs + haltedNs);
        expect(Math.abs(unaccountedNs), `of the stretch up to ${atNs} ns`).toBeLessThanOrEqual(vm.slackNs);
      }
    });

    it('counts the instructions of each stretch where it has the capability instruction-count, and else none', async () => {
      const vm = await stage.vm();
      const counts: (number | undefined)[] = [];
      vm.observe('scheduled', ({ instructions }) => void counts.push(instructions));
      await vm.runFor(INTERVALS * vm.machine.schedulingIntervalNs);
      if (!vm.machine.capabilities.has('instruction-count')) {
        expect(new Set(counts)).toEqual(new Set([undefined]));
        return;
      }
      for (const count of counts) expect(Number.isInteger(count) && Number(count) >= 0).toBe(true);
      expect(Math.max(...counts.map(Number))).toBeGreaterThan(0);
    });

    it('reports the time of each sign of progress, which is never later than the fact', async () => {
      const vm = await stage.vm();
      const facts: Facts['scheduled'][] = [];
      vm.observe('scheduled', (fact) => void facts.push(fact));
      await vm.runFor(INTERVALS * vm.machine.schedulingIntervalNs);
      const last = new Map<string, Nanoseconds>();
      for (const { atNs: factAtNs, progress } of facts) {
        for (const { sign, atNs } of progress) {
          expect(atNs, sign).toBeLessThanOrEqual(factAtNs);
          expect(atNs, `${sign} again`).toBeGreaterThanOrEqual(last.get(sign) ?? 0);
          last.set(sign, atNs);
        }
      }
    });

    it('reports nothing to a disposed observer', async () => {
      const vm = await stage.vm();
      let reported = 0;
      const observer = vm.machine.observe('scheduled', () => void reported++);
      await vm.runFor(3 * vm.machine.schedulingIntervalNs);
      observer[Symbol.dispose]();
      observer[Symbol.dispose]();
      const before = reported;
      expect(before).toBeGreaterThan(0);
      await vm.runFor(3 * vm.machine.schedulingIntervalNs);
      expect(reported).toBe(before);
    });

    it('reports a fact to all observers', async () => {
      const vm = await stage.vm();
      const calls = [0, 0];
      for (const index of calls.keys())
        vm.observe('scheduled', () => void (calls[index] = (calls[index] ?? 0) + 1));
      await vm.runFor(3 * vm.machine.schedulingIntervalNs);
      expect(calls[0]).toBeGreaterThan(0);
      expect(calls[1]).toBe(calls[0]);
    });

    it('reports output without a gap: each position is where the output before it ended', async ({
      skip,
    }) => {
      const vm = await stage.vm();
      const output = vm.guest.output ?? skip('the subject names no device on which its guest puts out');
      const reported: Facts['output'][] = [];
      vm.observe('output', (fact) => void reported.push(fact));
      await vm.runFor(4 * output.withinNs);
      const ofDevice = reported.filter(({ device }) => device === output.device);
      expect(ofDevice.length).toBeGreaterThan(0);
      for (const [index, { position, guestNs, epoch }] of ofDevice.entries()) {
        const previous = ofDevice[index - 1];
        if (previous === undefined) continue;
        expect(position).toBe(previous.position + previous.data.length);
        expect(guestNs).toBeGreaterThanOrEqual(previous.guestNs);
        expect(epoch).toBeGreaterThanOrEqual(previous.epoch);
      }
    });

    it('reports each page once, at its first write in an epoch', async ({ skip }) => {
      const vm = await stage.vm();
      skip(!vm.tellsPageFaults, "the driver does not have the capability 'pagefault-facts'");
      await vm.machine.suspend();
      await vm.checkpoint();
      const reported: number[] = [];
      vm.observe('pagefault', ({ frames }) => void reported.push(...frames));
      await vm.write(0, 1);
      await vm.write(2, 1);
      await vm.write(0, 2);
      await vm.machine.resume();
      await vm.beBusy();
      await vm.machine.suspend();
      const { closed } = await vm.checkpoint();
      expect(reported).toContain(vm.frame(0));
      expect(Uint32Array.from(reported).toSorted()).toEqual(closed?.updated);
      await vm.write(0, 3);
      expect(reported.at(-1)).toBe(vm.frame(0));
    });
  });
}

function gaps(moments: readonly Nanoseconds[]): readonly Nanoseconds[] {
  return moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
}
