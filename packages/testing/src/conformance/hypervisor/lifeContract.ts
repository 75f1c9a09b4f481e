import type { Facts } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { codeOf, NO_PRESAVE, targetOf, type Stage } from './vmUnderTest.js';
import { memoryImage, differingFrames } from './memoryImage.js';

/** How many times as long a guest may take for its first output after a boot as for any later one. */
const MAX_BOOT = 50;

/** The end of a VM's life, and another one. */
export function lifeContract(stage: Stage): void {
  describe('closing', () => {
    it('ends all that can be done with the VM, and can be done twice', async () => {
      const vm = await stage.ownVm();
      const { machine, guest } = vm;
      const checkpoint = await vm.checkpoint();
      await machine.suspend();
      await machine.close();
      await machine.close();
      const operations = {
        suspend: () => machine.suspend(),
        resume: () => machine.resume(),
        readRegister: () => machine.readRegister(guest.register),
        writeRegister: () => machine.writeRegister(guest.register, 0n),
        read: () => machine.read(vm.addressOf(0), 1),
        write: () => machine.write(vm.addressOf(0), Uint8Array.of(1)),
        checkpoint: () => machine.checkpoint(NO_PRESAVE),
        rollback: () => machine.rollback(targetOf([checkpoint]), NO_PRESAVE),
        restart: () => machine.restart(),
      };
      for (const [name, operation] of Object.entries(operations)) {
        expect([name, await codeOf(operation)]).toEqual([name, 'RMK_ERR_STATE']);
      }
      await vm.subject.close();
    });
  });

  describe('a restart', () => {
    it('discards every checkpoint, keeps domain time, and the guest runs again', async () => {
      const vm = await stage.vm();
      const checkpoint = await vm.checkpoint();
      await vm.beBusy();
      await vm.machine.suspend();
      const beforeNs = vm.nowNs;
      await vm.machine.restart();
      expect(vm.nowNs).toBeGreaterThanOrEqual(beforeNs);
      await vm.machine.suspend();
      expect(await codeOf(() => vm.rollback([checkpoint]))).toBe('RMK_ERR_RELEASED');
      await vm.machine.resume();
      await vm.beBusy();
      expect(vm.nowNs).toBeGreaterThanOrEqual(beforeNs + vm.guest.busyNs);
      expect((await vm.checkpoint()).closed).toBeUndefined();
    });

    it('strikes all output, and the time of the guest begins again', async ({ skip }) => {
      const vm = await stage.vm();
      const output = vm.guest.output ?? skip('the subject names no device on which its guest puts out');
      const reported: Facts['output'][] = [];
      vm.observe('output', (fact) => {
        if (fact.device === output.device) reported.push(fact);
      });
      await vm.runFor(2 * output.withinNs);
      await vm.machine.suspend();
      expect(reported).not.toEqual([]);
      const restartedAtNs = vm.nowNs;
      await vm.machine.restart();
      // Only now, since output that had left before may still be reported late.
      reported.length = 0;
      await vm.machine.resume();
      for (let tries = 0; reported.length === 0 && tries < MAX_BOOT; tries++)
        await vm.runFor(output.withinNs);
      const [{ position, guestNs, atNs } = { position: NaN, guestNs: NaN, atNs: NaN }] = reported;
      expect(position).toBe(0);
      vm.expectOnTime(guestNs, atNs - restartedAtNs, 'the time of the guest');
    });

    it('brings back what the memory held at boot', async ({ skip }) => {
      const { isDeterministic } = await stage.vm();
      skip(!isDeterministic, "the driver does not have the capability 'deterministic'");
      const vm = await stage.ownVm();
      await vm.machine.suspend();
      await vm.machine.restart();
      const before = await vm.state();
      await vm.machine.resume();
      await vm.beBusy();
      await vm.write(0, 9);
      await vm.machine.suspend();
      expect(differingFrames(await memoryImage(vm.subject), before.memory)).not.toEqual([]);
      await vm.machine.restart();
      await vm.expectState(before);
      await vm.subject.close();
    });
  });
}
