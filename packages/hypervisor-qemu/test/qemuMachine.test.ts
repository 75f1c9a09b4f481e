import { setTimeout as wait } from 'node:timers/promises';
import { PAGE_BYTES } from '@rmk/core';
import { findMachines, QemuHypervisor, type QemuMachine } from '@rmk/hypervisor-qemu';
import { expect, it, onTestFinished } from 'vitest';
import { answers, next, said } from './facts.js';
import { bootSectorGuest, ORDER } from './guest/bootSectorGuest.js';
import { describeQemu } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

async function unprotected(name = 'guest'): Promise<QemuMachine> {
  const folder = await temporaryFolder('/dev/shm');
  const hypervisor = new QemuHypervisor({ folder, control: 'none' });
  onTestFinished(() => hypervisor.close());
  return hypervisor.startMachine(bootSectorGuest(name));
}

function order(machine: QemuMachine, letter: string): Promise<void> {
  return machine.input('serial', new TextEncoder().encode(letter));
}

describeQemu('QemuMachine', () => {
  it('boots, takes input and tells output', async () => {
    const machine = await unprotected();
    await answers(machine, 'x');
    const before = machine.clock.now();
    expect(await machine.readRegister('rip')).toBeGreaterThan(0n);
    await machine.writeRegister('rbp', 7n);
    expect(await machine.readRegister('rbp')).toBe(7n);
    await wait(20);
    expect(machine.clock.now()).toBeGreaterThan(before);
    expect(await machine.read(0, PAGE_BYTES)).toHaveLength(PAGE_BYTES);
  });

  it('tells that a guest idles, spins and is halted for ever', async () => {
    const machine = await unprotected();
    expect(await next(machine, 'scheduled', ({ state }) => state === 'idle')).toMatchObject({ haltedNs: 0 });
    await order(machine, ORDER.spin);
    await next(machine, 'scheduled', ({ state }) => state === 'ran');
    await machine.restart();
    await said(machine, 'up');
    await order(machine, ORDER.halt);
    await next(machine, 'scheduled', ({ state }) => state === 'halted');
  });

  it.each([
    ['a panic', ORDER.panic, 'panic'],
    ['a triple fault', ORDER.tripleFault, 'reset'],
  ])('tells %s', async (_, letter, cause) => {
    const machine = await unprotected();
    const signal = next(machine, 'signal');
    await order(machine, letter);
    expect(await signal).toMatchObject({ cause });
  });

  it('tells that the guest switched itself off, and boots it again', async () => {
    const machine = await unprotected();
    const exited = next(machine, 'exited');
    await order(machine, ORDER.off);
    expect(await exited).toMatchObject({ code: 0 });
    const up = said(machine, 'up');
    await machine.restart();
    await up;
  });

  it('finds a VM that was left, and attaches to it', async () => {
    const machine = await unprotected('left');
    const { folder = '' } = machine;
    await machine.detach();
    const parent = folder.slice(0, folder.lastIndexOf('/'));
    expect(await findMachines(parent)).toMatchObject([{ folder, name: 'left', isRunning: true }]);
    const hypervisor = new QemuHypervisor({ control: 'none' });
    onTestFinished(() => hypervisor.close());
    const again = await hypervisor.attachMachine(folder);
    await answers(again, 'y');
    await again.close();
    expect(await findMachines(parent)).toEqual([]);
  });
});
