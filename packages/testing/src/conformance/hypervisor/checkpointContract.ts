import { PAGE_BYTES } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { codeOf, defined, UPDATED_AHEAD, type Stage } from './vmUnderTest.js';

/** Checkpoints, the reports of the epochs that they end, and page logs. */
export function checkpointContract(stage: Stage): void {
  describe('a checkpoint', () => {
    it('ends no epoch where it is the first, and its log is empty', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const first = await vm.checkpoint();
      expect(first.closed).toBeUndefined();
      expect(first.atNs).toBe(vm.nowNs);
      expect(first.log.pages).toBe(0);
      expect(await first.log.frames()).toEqual(new Uint32Array(0));
      expect(first.context.bytes).toBeGreaterThan(0);
      expect(await first.context.verify()).toBe(true);
    });

    it('leaves a suspended VM as it is, and suspended', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const before = await vm.state();
      await vm.checkpoint();
      await vm.checkpoint(UPDATED_AHEAD);
      await vm.expectState(before);
      const suspendedNs = vm.nowNs;
      await vm.beBusy();
      expect(vm.nowNs).toBe(suspendedNs);
    });

    it('lets a VM that runs run on', async () => {
      const vm = await stage.vm();
      await vm.checkpoint();
      const beganNs = vm.nowNs;
      await vm.beBusy();
      expect(vm.nowNs).toBeGreaterThanOrEqual(beganNs + vm.guest.busyNs);
      const second = await vm.checkpoint();
      expect(second.closed?.updated.length, 'pages that the guest wrote').toBeGreaterThan(0);
    });

    it('reports the epoch that it ends: when it was, and which pages were written, ascending', async () => {
      const vm = await stage.vm();
      const first = await vm.checkpoint();
      await vm.beBusy();
      for (const page of [5, 1, 3]) await vm.write(page, 0x51);
      await vm.machine.suspend();
      const second = await vm.checkpoint();
      const closed = defined(second.closed, 'the second checkpoint reports no epoch');
      expect([closed.openedAtNs, closed.closedAtNs]).toEqual([first.atNs, second.atNs]);
      expect(closed.updated).toEqual(closed.updated.toSorted());
      expect(new Set(closed.updated).size).toBe(closed.updated.length);
      expect(Array.from(closed.updated)).toEqual(
        expect.arrayContaining([1, 3, 5].map((page) => vm.frame(page))),
      );
      expect(closed.updated).not.toContain(vm.frame(2));
      expect(closed.pauseHostNs).toBeGreaterThanOrEqual(0);
    });

    it('counts what was saved: each entry of the log was written or saved in vain', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      await vm.checkpoint();
      for (const page of [0, 1, 2]) await vm.write(page, 1);
      const second = await vm.checkpoint({ preSave: 'updated', add: Uint32Array.of(vm.frame(6)) });
      for (const page of [0, 4]) await vm.write(page, 2);
      const closed = defined((await vm.checkpoint()).closed, 'the third checkpoint reports no epoch');
      expect(closed.pagesSaved).toBe(second.log.pages);
      expect(closed.pagesSaved).toBe(closed.updated.length + closed.preSavedInVain);
      expect(closed.pagesPreSaved).toBeGreaterThanOrEqual(closed.preSavedInVain);
      expect(closed.pageFaults).toBeLessThanOrEqual(closed.updated.length);
      if (vm.tellsPageFaults) expect(closed.pageFaults).toBe(closed.pagesSaved - closed.pagesPreSaved);
    });

    it('keeps in the log what each page held when the epoch began', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      for (const page of [0, 1, 2]) await vm.write(page, 0x20 + page);
      const { log } = await vm.checkpoint();
      await vm.write(0, 0x77);
      await vm.write(0, 0x78);
      await vm.machine.write(vm.addressOf(2) - 8, new Uint8Array(16).fill(0x79));
      expect(Array.from(await log.frames()), 'the open log').toContain(vm.frame(0));
      const { closed } = await vm.checkpoint();
      await vm.write(0, 0x7a);
      expect((await log.frames()).toSorted()).toEqual(closed?.updated);
      for (const page of [0, 1, 2]) {
        const entry = await log.read(vm.frame(page));
        expect(entry === 'absent' || entry.every((byte) => byte === 0x20 + page), `page ${page}`).toBe(true);
        expect(entry).toHaveLength(PAGE_BYTES);
      }
      expect(await log.verify()).toEqual(new Uint32Array(0));
      expect(await codeOf(() => log.read(vm.frame(7)))).toBe('RMK_ERR_UNKNOWN');
    });

    it('opens a log of its own for each epoch', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const first = await vm.checkpoint();
      await vm.write(0, 1);
      const second = await vm.checkpoint();
      await vm.write(1, 1);
      await vm.checkpoint();
      expect(Array.from(await first.log.frames())).toEqual([vm.frame(0)]);
      expect(Array.from(await second.log.frames())).toEqual([vm.frame(1)]);
    });

    it('drops a released log, and rejects later reads of it', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const { log, context } = await vm.checkpoint();
      await vm.write(0, 1);
      await vm.checkpoint();
      log.release();
      log.release();
      context.release();
      expect(await codeOf(() => log.frames())).toBe('RMK_ERR_RELEASED');
      expect(await codeOf(() => log.read(vm.frame(0)))).toBe('RMK_ERR_RELEASED');
      expect(await codeOf(() => log.verify())).toBe('RMK_ERR_RELEASED');
    });

    it('is a first one again after the open log was released', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const { log } = await vm.checkpoint();
      await vm.write(0, 1);
      log.release();
      await vm.write(1, 1);
      const next = await vm.checkpoint();
      expect(next.closed).toBeUndefined();
      await vm.write(2, 1);
      expect((await vm.checkpoint()).closed?.updated).toEqual(Uint32Array.of(vm.frame(2)));
    });
  });
}
