import { describe, expect, it } from 'vitest';
import { codeOf, NO_PRESAVE, targetOf, type Stage } from './vmUnderTest.js';
import { memoryImage, differingFrames } from './memoryImage.js';

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
    it('voids every checkpoint, keeps domain time, and the guest runs again', async () => {
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
