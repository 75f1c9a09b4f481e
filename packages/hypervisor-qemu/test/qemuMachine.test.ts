import { setTimeout as wait } from 'node:timers/promises';
import { PAGE_BYTES, type EpochPlan } from '@rmk/core';
import { findMachines, QemuHypervisor, type QemuMachine } from '@rmk/hypervisor-qemu';
import { expect, it, onTestFinished } from 'vitest';
import { decodeCheckpoint, encodeRollback, KIND } from '../src/control/libraryProtocol.js';
import { answers, next, said } from './facts.js';
import { bootSectorGuest, ORDER, UNUSED_FRAME } from './guest/bootSectorGuest.js';
import { openMachine } from './openMachine.js';
import { describeQemu, MORTAL_QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const PLAN: EpochPlan = { preSave: 'none' };

async function started(
  control: 'in-process' | 'qmp' | 'none',
  logPages?: number,
  name = 'guest',
): Promise<QemuMachine> {
  const folder = await temporaryFolder('/dev/shm');
  const logs = logPages === undefined ? {} : { logPages };
  const hypervisor = new QemuHypervisor({ qemu: MORTAL_QEMU, folder, control, ...logs });
  onTestFinished(() => hypervisor.close());
  return hypervisor.startMachine(bootSectorGuest(name));
}

function unprotected(name?: string): Promise<QemuMachine> {
  return started('none', undefined, name);
}

function order(machine: QemuMachine, letter: string): Promise<void> {
  return machine.input('serial', new TextEncoder().encode(letter));
}

describeQemu('QemuMachine', () => {
  it('boots, takes input and reports output', async () => {
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

  it('reports that a guest idles, spins and is halted forever', async () => {
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
    ['a triple fault', ORDER.tripleFault, 'triple-fault'],
  ])('reports %s', async (_, letter, cause) => {
    const machine = await unprotected();
    const signal = next(machine, 'signal');
    await order(machine, letter);
    expect(await signal).toMatchObject({ cause });
  });

  it('reports a reboot once, as no failure, and the guest boots again', async () => {
    const machine = await unprotected();
    const failures: string[] = [];
    machine.observe('signal', ({ cause }) => void failures.push(cause));
    let reboots = 0;
    machine.observe('rebooted', () => void reboots++);
    const up = said(machine, 'up');
    await order(machine, ORDER.reboot);
    await up;
    await answers(machine, 'x');
    expect({ reboots, failures }).toEqual({ reboots: 1, failures: [] });
  });

  it('pauses domain time while the guest is suspended to RAM', async () => {
    const machine = await unprotected();
    const asleep = next(machine, 'asleep');
    await order(machine, ORDER.sleep);
    const { atNs } = await asleep;
    await wait(50);
    // Whoever looks at it does not wake it.
    await machine.readRegister('rip');
    await machine.suspend();
    await machine.resume();
    expect(machine.clock.now()).toBe(atNs);
    const awake = next(machine, 'awake');
    await machine.raise('wakeup');
    expect(await awake).toMatchObject({ atNs });
  });

  it('reports that the guest switched itself off, and boots it again', async () => {
    const machine = await unprotected();
    const exited = next(machine, 'exited');
    await order(machine, ORDER.off);
    expect(await exited).toMatchObject({ code: 0 });
    const up = said(machine, 'up');
    await machine.restart();
    await up;
  });

  it('strikes at a restart all that the discarded boot put out and did', async () => {
    const machine = await unprotected();
    await answers(machine, 'x');
    await machine.suspend();
    expect(machine.committedBytes('serial')).toBeGreaterThan(0);
    await machine.restart();
    expect([machine.committedBytes('serial'), machine.undoneNs]).toEqual([0, machine.clock.now()]);
    await machine.resume();
    expect(await next(machine, 'output')).toMatchObject({ position: 0 });
    expect(() => machine.committedBytes('parallel')).toThrow(/parallel/);
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

  it.each(['in-process', 'qmp'] as const)(
    'restarts with RAM as it was before the guest booted, and protects the new life: %s',
    async (control) => {
      const machine = await started(control);
      const address = UNUSED_FRAME * PAGE_BYTES;
      await machine.checkpoint(PLAN);
      await machine.write(address, Uint8Array.of(1, 2, 3));
      await machine.checkpoint(PLAN);
      const up = said(machine, 'up');
      await machine.restart();
      expect(await machine.read(address, 3)).toEqual(Uint8Array.of(0, 0, 0));
      await up;
      const first = await machine.checkpoint(PLAN);
      expect(first.closed, 'the first of a new life').toBeUndefined();
      await machine.write(address, Uint8Array.of(4));
      await machine.suspend();
      await machine.rollback({ context: first.context, logs: [first.log] }, PLAN);
      expect(await machine.read(address, 3), 'nothing of the former life').toEqual(Uint8Array.of(0, 0, 0));
      await machine.resume();
      await answers(machine, 'z');
    },
  );

  it('has no byte of device state that does not come back', async () => {
    const { machine, control } = await openMachine('in-process');
    await control.setAudit(true);
    const { state, log } = await control.checkpoint();
    await wait(1100); // a second of the real-time clock
    await machine.suspend();
    // Past the control, which leaves out the differences that are expected.
    const response = await control.connection.request(KIND.rollback, encodeRollback(state, [log]));
    const { checkpoint } = decodeCheckpoint(response);
    expect(checkpoint.audit?.stateDifferences).toEqual([]);
  });

  it.each(['in-process', 'qmp'] as const)(
    'reports that the log area is full, and starts a new chain with the next checkpoint: %s',
    async (control) => {
      const machine = await started(control, 64);
      const older = await machine.checkpoint(PLAN);
      const lost = next(machine, 'loglost');
      await machine.write(UNUSED_FRAME * PAGE_BYTES, new Uint8Array(128 * PAGE_BYTES).fill(1));
      await machine.checkpoint(PLAN).catch(() => undefined);
      await lost;
      await expect(older.log.frames()).rejects.toMatchObject({ code: 'RMK_ERR_RELEASED' });
      await answers(machine, 'l');
      const first = await machine.checkpoint(PLAN);
      expect(first.closed).toBeUndefined();
      await machine.write(UNUSED_FRAME * PAGE_BYTES, Uint8Array.of(2));
      await machine.suspend();
      await machine.rollback({ context: first.context, logs: [first.log] }, PLAN);
      expect(await machine.read(UNUSED_FRAME * PAGE_BYTES, 1)).toEqual(Uint8Array.of(1));
      await machine.resume();
      await answers(machine, 'm');
    },
  );
});
