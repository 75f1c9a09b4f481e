import type { Checkpointed } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeOf,
  defined,
  NO_PRESAVE,
  targetOf,
  UPDATED_AHEAD,
  type Stage,
  type VmState,
  type VmUnderTest,
} from './vmUnderTest.js';
import { compareWithCopies, steps } from './windowCopies.js';

const VALUE = 0x1bad_cafen;

interface Taken {
  readonly checkpoint: Checkpointed;
  readonly state: VmState;
}

/** A checkpoint of the suspended VM with the state there; then the guest runs, the host writes, and it is suspended. */
async function taken(vm: VmUnderTest, index: number): Promise<Taken> {
  await vm.machine.suspend();
  await vm.write(index, 0x10 + index);
  const checkpoint = await vm.checkpoint(index % 2 === 0 ? NO_PRESAVE : UPDATED_AHEAD);
  const state = await vm.state();
  await vm.machine.resume();
  await vm.beBusy();
  await vm.write(0, 0x80 + index);
  await vm.write(7, 0x90 + index);
  await vm.machine.suspend();
  return { checkpoint, state };
}

/** Three of them, oldest first. */
async function threeTaken(vm: VmUnderTest): Promise<readonly [oldest: Taken, middle: Taken, newest: Taken]> {
  return [await taken(vm, 0), await taken(vm, 1), await taken(vm, 2)];
}

/** Rollbacks: exact, all or nothing, and as often as one likes. */
export function rollbackContract(stage: Stage, propertyRuns: number): void {
  describe('a rollback', () => {
    it('is refused while the VM runs', async () => {
      const vm = await stage.vm();
      const checkpoint = await vm.checkpoint();
      await vm.write(0, 9);
      expect(await codeOf(() => vm.rollback([checkpoint]))).toBe('RMK_ERR_STATE');
      expect((await vm.read(0))[0]).toBe(9);
    });

    it.each([1, 2, 3])('over %i epochs brings back all memory and all registers', async (epochs) => {
      const vm = await stage.vm();
      const all = await threeTaken(vm);
      const target = defined(all.at(-epochs), 'too short a history');
      await vm.machine.writeRegister(vm.guest.register, VALUE);
      const newestFirst = all.map(({ checkpoint }) => checkpoint).toReversed();
      const beforeNs = vm.nowNs;
      const done = await vm.rollback(newestFirst.slice(0, epochs));
      await vm.expectState(target.state);
      expect(done.atNs, 'domain time does not go back').toBe(beforeNs);
      expect(done.pagesRestored).toBeGreaterThan(0);
      expect(done.undoneNs, 'the guest had run').toBeGreaterThan(0);
      expect(done.undoneNs).toBeLessThanOrEqual(beforeNs - target.checkpoint.atNs + vm.slackNs);
      expect(done.log.pages).toBe(0);
      expect(await done.context.verify()).toBe(true);
    });

    it('leaves the VM suspended, and it runs on from there', async () => {
      const vm = await stage.vm();
      const only = await taken(vm, 0);
      await vm.rollback([only.checkpoint]);
      const rolledBackNs = vm.nowNs;
      await vm.beBusy();
      expect(vm.nowNs).toBe(rolledBackNs);
      await vm.machine.resume();
      await vm.beBusy();
      expect(vm.nowNs).toBeGreaterThanOrEqual(rolledBackNs + vm.guest.busyNs);
      await vm.machine.suspend();
      expect((await vm.checkpoint()).closed?.updated.length, 'pages written since').toBeGreaterThan(0);
    });

    it('can be done again and again, each time from the checkpoint that the last one left', async () => {
      const vm = await stage.vm();
      const only = await taken(vm, 0);
      let { checkpoint } = only;
      for (const plan of [UPDATED_AHEAD, NO_PRESAVE, UPDATED_AHEAD]) {
        checkpoint = await vm.rollback([checkpoint], plan);
        await vm.expectState(only.state);
        await vm.machine.resume();
        await vm.beBusy();
        await vm.write(2, 0x44);
        await vm.machine.suspend();
      }
      await vm.rollback([checkpoint]);
      await vm.expectState(only.state);
    });

    it('restores nothing where nothing has happened since', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      const checkpoint = await vm.checkpoint();
      const before = await vm.state();
      const done = await vm.rollback([checkpoint]);
      await vm.expectState(before);
      expect([done.pagesRestored, done.undoneNs, done.outputStruckBytes]).toEqual([0, 0, 0]);
    });

    it('leaves the older checkpoints where they are', async () => {
      const vm = await stage.vm();
      const [oldest, middle, newest] = await threeTaken(vm);
      const reopened = await vm.rollback([newest.checkpoint, middle.checkpoint]);
      await vm.expectState(middle.state);
      await vm.write(3, 0x66);
      await vm.rollback([reopened, oldest.checkpoint]);
      await vm.expectState(oldest.state);
    });

    it('undoes what the host wrote', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      await vm.write(4, 5);
      const checkpoint = await vm.checkpoint();
      await vm.machine.write(vm.addressOf(5) - 3, Uint8Array.of(1, 2, 3, 4, 5, 6));
      const { pagesRestored } = await vm.rollback([checkpoint]);
      expect(pagesRestored).toBe(2);
      expect((await vm.read(4)).every((byte) => byte === 5)).toBe(true);
    });

    it('is refused with logs that make no path, and the VM is as before', async () => {
      const vm = await stage.vm();
      const [{ checkpoint: oldest }, { checkpoint: middle }, { checkpoint: newest }] = await threeTaken(vm);
      const before = await vm.state();
      const paths = {
        'no log': { context: newest.context, logs: [] },
        'a gap': targetOf([newest, oldest]),
        'no open log': targetOf([middle, oldest]),
        'oldest first': { context: newest.context, logs: [middle.log, newest.log] },
        'a log twice': targetOf([newest, middle, middle]),
        'the context of another checkpoint': { context: newest.context, logs: [newest.log, middle.log] },
      };
      for (const [what, path] of Object.entries(paths)) {
        const code = await codeOf(() => vm.machine.rollback(path, NO_PRESAVE));
        expect(['RMK_ERR_RELEASED', 'RMK_ERR_INPUT'], what).toContain(code);
      }
      await vm.expectState(before);
      expect(await codeOf(() => vm.rollback([newest, middle, oldest]))).toBe('done');
    });

    it('is refused over a log that was released, and still done to what is newer', async () => {
      const vm = await stage.vm();
      const [oldest, middle, newest] = await threeTaken(vm);
      middle.checkpoint.log.release();
      const before = await vm.state();
      const all = [newest.checkpoint, middle.checkpoint, oldest.checkpoint];
      expect(await codeOf(() => vm.rollback(all))).toBe('RMK_ERR_RELEASED');
      await vm.expectState(before);
      await vm.rollback([newest.checkpoint]);
      await vm.expectState(newest.state);
    });

    it('is refused where a log that it needs is damaged, and nothing is written', async ({ skip }) => {
      const vm = await stage.vm();
      const damage = vm.subject.damage ?? skip('the subject has no way to do damage');
      await vm.machine.suspend();
      await vm.write(0, 1);
      await vm.write(1, 1);
      const checkpoint = await vm.checkpoint();
      await vm.write(0, 2);
      await vm.write(1, 2);
      const newer = await vm.checkpoint();
      const before = await vm.state();
      await damage.log(checkpoint.log, vm.frame(1));
      expect(await checkpoint.log.verify()).toEqual(Uint32Array.of(vm.frame(1)));
      expect(await codeOf(() => vm.rollback([newer, checkpoint]))).toBe('RMK_ERR_LOGDAMAGED');
      await vm.expectState(before);
      expect(await codeOf(() => vm.rollback([newer]))).toBe('done');
    });

    it('is refused where the context is damaged, and nothing is written', async ({ skip }) => {
      const vm = await stage.vm();
      const damage = vm.subject.damage ?? skip('the subject has no way to do damage');
      await vm.machine.suspend();
      const checkpoint = await vm.checkpoint();
      await vm.write(0, 2);
      const before = await vm.state();
      await damage.context(checkpoint.context);
      expect(await checkpoint.context.verify()).toBe(false);
      expect(await codeOf(() => vm.rollback([checkpoint]))).toBe('RMK_ERR_LOGDAMAGED');
      await vm.expectState(before);
    });

    it('strikes the output that had left since from the committed output', async ({ skip }) => {
      const vm = await stage.vm();
      const output = vm.guest.output ?? skip('the subject names no device on which its guest puts out');
      let endNs = 0;
      const ends: number[] = [];
      vm.observe('output', ({ device, position, data }) => {
        if (device === output.device) ends.push((endNs = position + data.length));
      });
      await vm.runFor(2 * output.withinNs);
      await vm.machine.suspend();
      const checkpoint = await vm.checkpoint();
      const committed = endNs;
      await vm.machine.resume();
      await vm.runFor(2 * output.withinNs);
      await vm.machine.suspend();
      const { outputStruckBytes } = await vm.rollback([checkpoint]);
      expect(outputStruckBytes).toBe(endNs - committed);
      const before = ends.length;
      await vm.machine.resume();
      await vm.runFor(2 * output.withinNs);
      expect(ends.length).toBeGreaterThan(before);
      expect(ends[before]).toBeGreaterThan(committed);
    });

    it('brings the window back as a plain copy has it, whatever was written and planned', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      await fc.assert(
        fc.asyncProperty(steps, (all) => compareWithCopies(vm, all)),
        { numRuns: propertyRuns },
      );
    });
  });
}
