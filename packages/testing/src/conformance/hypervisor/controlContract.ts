import { setTimeout as hostTime } from 'node:timers/promises';
import { PAGE_BYTES } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { codeOf, type Stage } from './vmUnderTest.js';

const A_WHILE_MS = 20;
const VALUE = 0x5eed_1234n;

/** What the VM is, suspend and resume, registers, memory, signals and input. */
export function controlContract(stage: Stage): void {
  describe('control', () => {
    it('says what the VM is', async () => {
      const { machine, guest } = await stage.vm();
      expect(machine.name).not.toBe('');
      expect(machine.memoryPages).toBeGreaterThan(0);
      expect(Number.isInteger(machine.memoryPages)).toBe(true);
      expect(machine.schedulingIntervalNs).toBeGreaterThan(0);
      expect(machine.registers).toContain(guest.register);
      expect(new Set(machine.registers).size, 'register names are distinct').toBe(machine.registers.length);
    });

    it('is paused from suspend to resume, however often each is called', async () => {
      const vm = await stage.vm();
      await vm.machine.suspend();
      await vm.machine.suspend();
      const suspendedNs = vm.nowNs;
      const before = await vm.state();
      await hostTime(A_WHILE_MS);
      await vm.runFor(vm.guest.busyNs);
      expect(vm.nowNs).toBe(suspendedNs);
      await vm.expectState(before);
      await vm.machine.resume();
      await vm.machine.resume();
      await vm.beBusy();
      expect(vm.nowNs).toBeGreaterThanOrEqual(suspendedNs + vm.guest.busyNs);
    });

    it('gives a register back as it was written', async () => {
      const { machine, guest } = await stage.vm();
      await machine.suspend();
      const before = await machine.readRegister(guest.register);
      for (const value of [VALUE, 0n]) {
        await machine.writeRegister(guest.register, value);
        expect(await machine.readRegister(guest.register)).toBe(value);
      }
      await machine.writeRegister(guest.register, before);
    });

    it('reads every register that it names', async () => {
      const { machine } = await stage.vm();
      await machine.suspend();
      for (const name of machine.registers)
        expect(await machine.readRegister(name), name).toBeTypeOf('bigint');
    });

    it.each([
      ['a register, to be read', 'readRegister'],
      ['a register, to be written', 'writeRegister'],
      ['a signal', 'raise'],
      ['a device', 'input'],
    ] as const)('refuses %s that there is not', async (_, operation) => {
      const { machine } = await stage.vm();
      await machine.suspend();
      const unknown = 'no such thing';
      const calls = {
        readRegister: () => machine.readRegister(unknown),
        writeRegister: () => machine.writeRegister(unknown, 0n),
        raise: () => machine.raise(unknown),
        input: () => machine.input(unknown, Uint8Array.of(1)),
      };
      expect(await codeOf(calls[operation])).toBe('RMK_ERR_UNKNOWN');
    });

    it('gives memory back as it was written, also across pages', async () => {
      const vm = await stage.vm();
      await vm.write(0, 1);
      await vm.write(1, 2);
      const data = Uint8Array.from({ length: 100 }, (_, index) => index + 100);
      const address = vm.addressOf(1) - 40;
      await vm.machine.write(address, data);
      expect(await vm.machine.read(address, 100)).toEqual(data);
      const [first, second] = [await vm.read(0), await vm.read(1)];
      expect(first.subarray(0, PAGE_BYTES - 40).every((byte) => byte === 1)).toBe(true);
      expect(second.subarray(60).every((byte) => byte === 2)).toBe(true);
      await vm.machine.write(address, new Uint8Array(0));
      expect(await vm.machine.read(address, 0)).toHaveLength(0);
      expect(await vm.machine.read(address, 100)).toEqual(data);
    });

    it('shares no buffer with its caller', async () => {
      const vm = await stage.vm();
      const data = new Uint8Array(PAGE_BYTES).fill(7);
      await vm.machine.write(vm.addressOf(0), data);
      data.fill(8);
      const read = await vm.read(0);
      read.fill(9);
      expect((await vm.read(0)).every((byte) => byte === 7)).toBe(true);
    });

    it('refuses memory that there is not, and then writes nothing', async () => {
      const vm = await stage.vm();
      const { machine, subject } = vm;
      await machine.suspend();
      const lastPage = subject.addressOf(machine.memoryPages - 1);
      const before = await machine.read(lastPage, PAGE_BYTES);
      const outside: readonly (readonly [address: number, bytes: number])[] = [
        [lastPage + PAGE_BYTES, 1],
        [lastPage + PAGE_BYTES - 2, 3],
        [-1, 1],
        [lastPage + 0.5, 1],
        [lastPage, -1],
        [lastPage, 1.5],
        [Number.NaN, 1],
        [Number.POSITIVE_INFINITY, 1],
      ];
      for (const [address, bytes] of outside) {
        const code = await codeOf(() => machine.read(address, bytes));
        expect([address, bytes, code]).toEqual([address, bytes, 'RMK_ERR_ADDRESS']);
      }
      const tooFar = () => machine.write(lastPage + PAGE_BYTES - 2, Uint8Array.of(1, 2, 3));
      expect(await codeOf(tooFar)).toBe('RMK_ERR_ADDRESS');
      expect(await machine.read(lastPage, PAGE_BYTES)).toEqual(before);
    });

    it('hands input to the guest, which answers it', async ({ skip }) => {
      const vm = await stage.vm();
      const echo = vm.guest.echo ?? skip('the subject names no device that answers');
      let answered = '';
      const text = new TextDecoder();
      vm.observe('output', ({ device, data }) => {
        if (device === echo.device) answered += text.decode(data);
      });
      await vm.machine.input(echo.device, echo.input);
      await vm.runFor(echo.withinNs);
      expect(answered).toContain(text.decode(echo.answer));
    });
  });
}
