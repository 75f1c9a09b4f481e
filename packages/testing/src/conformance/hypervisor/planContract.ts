import { MAX_CLUSTER_PAGES, type EpochPlan } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { codeOf, type Stage, type VmUnderTest } from './vmUnderTest.js';

const NO_FAULTS = "the driver does not have the capability 'pagefault-facts', and may save nothing ahead";

interface MalformedPlan {
  readonly what: string;
  readonly plan: (vm: VmUnderTest) => EpochPlan;
  readonly code: 'RMK_ERR_INPUT' | 'RMK_ERR_ADDRESS';
}

const MALFORMED: readonly MalformedPlan[] = [
  ...[0, 3, 0.5, -1, Number.NaN, 2 * MAX_CLUSTER_PAGES].map((clusterPages): MalformedPlan => ({
    what: `clusters of ${clusterPages} pages`,
    plan: () => ({ preSave: 'none', clusterPages }),
    code: 'RMK_ERR_INPUT',
  })),
  {
    what: 'a page frame to be added that there is not',
    plan: ({ machine }) => ({ preSave: 'updated', add: Uint32Array.of(machine.memoryPages) }),
    code: 'RMK_ERR_ADDRESS',
  },
];

/** What a plan asks for, and what becomes of one that makes no sense. */
export function planContract(stage: Stage): void {
  describe('a plan', () => {
    for (const { what, plan, code } of MALFORMED)
      it(`with ${what} is refused, and the epoch stays open`, async () => {
        const vm = await stage.vm();
        await vm.machine.suspend();
        const first = await vm.checkpoint();
        await vm.write(0, 1);
        expect(await codeOf(() => vm.checkpoint(plan(vm)))).toBe(code);
        await vm.write(1, 1);
        const { closed } = await vm.checkpoint();
        expect(closed?.openedAtNs).toBe(first.atNs);
        expect(closed?.updated).toEqual(Uint32Array.of(vm.frame(0), vm.frame(1)));
      });

    for (const { what, plan, code } of MALFORMED)
      it(`with ${what} is refused at a rollback, and the VM is as before`, async () => {
        const vm = await stage.vm();
        await vm.machine.suspend();
        await vm.write(0, 1);
        const checkpoint = await vm.checkpoint();
        await vm.write(0, 2);
        const before = await vm.state();
        expect(await codeOf(() => vm.rollback([checkpoint], plan(vm)))).toBe(code);
        await vm.expectState(before);
        await vm.rollback([checkpoint]);
        expect((await vm.read(0))[0]).toBe(1);
      });

    it('may drop page frames that there are not', async () => {
      const vm = await stage.vm();
      const drop = Uint32Array.of(vm.machine.memoryPages + 5);
      expect(await codeOf(() => vm.checkpoint({ preSave: 'updated', drop }))).toBe('done');
    });

    it('saves ahead what was updated and what it adds, without what it drops', async ({ skip }) => {
      const vm = await stage.vm();
      skip(!vm.tellsPageFaults, NO_FAULTS);
      await vm.machine.suspend();
      await vm.checkpoint();
      for (const page of [0, 1, 2]) await vm.write(page, 1);
      const { log } = await vm.checkpoint({
        preSave: 'updated',
        add: Uint32Array.of(vm.frame(5), vm.frame(6)),
        drop: Uint32Array.of(vm.frame(1), vm.frame(6)),
      });
      expect((await log.frames()).toSorted()).toEqual(Uint32Array.from([0, 2, 5], (page) => vm.frame(page)));
      const reported: number[] = [];
      vm.observe('pagefault', ({ frames }) => void reported.push(...frames));
      for (const page of [0, 1, 5]) await vm.write(page, 2);
      expect(reported, 'only pages that were not pre-saved fault').toEqual([vm.frame(1)]);
      const { closed } = await vm.checkpoint();
      expect(closed).toMatchObject({ pageFaults: 1, pagesSaved: 4, pagesPreSaved: 3, preSavedInVain: 1 });
      expect(closed?.updated).toEqual(Uint32Array.from([0, 1, 5], (page) => vm.frame(page)));
    });

    it('saves aligned clusters at a fault', async ({ skip }) => {
      const vm = await stage.vm();
      skip(!vm.tellsPageFaults, NO_FAULTS);
      await vm.machine.suspend();
      await vm.checkpoint({ preSave: 'none', clusterPages: 2 });
      await vm.write(3, 1);
      const { closed } = await vm.checkpoint();
      expect(closed).toMatchObject({ pageFaults: 1, pagesSaved: 2, pagesPreSaved: 1, preSavedInVain: 1 });
      expect(closed?.updated).toEqual(Uint32Array.of(vm.frame(3)));
    });

    it('changes nothing of what was written, whatever it asks for', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      await vm.checkpoint();
      for (const plan of [
        { preSave: 'updated' },
        { preSave: 'none', clusterPages: 8 },
        { preSave: 'updated', add: Uint32Array.of(vm.frame(7)), clusterPages: 4 },
      ] as const) {
        for (const page of [1, 4]) await vm.write(page, 3);
        const { closed } = await vm.checkpoint(plan);
        expect(closed?.updated).toEqual(Uint32Array.of(vm.frame(1), vm.frame(4)));
      }
    });
  });
}
