import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Checkpointed, EpochPlan } from '@rmk/core';
import { findMachines, QemuHypervisor, type QemuMachine } from '@rmk/hypervisor-qemu';
import { expect, it, onTestFinished } from 'vitest';
import { machineFiles } from '../src/process/machineFolder.js';
import { processStart } from '../src/process/processStatus.js';
import { QmpClient } from '../src/qmp/qmpClient.js';
import { queryRunState } from '../src/qmp/runState.js';
import { answers, next, said } from './facts.js';
import { bootSectorGuest, ORDER } from './guest/bootSectorGuest.js';
import { openMachine } from './openMachine.js';
import { describeQemu, MORTAL_QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const PLAN: EpochPlan = { preSave: 'none' };
const PROTECT = fileURLToPath(new URL('guest/protectForEver.mjs', import.meta.url));
const CONTROLS = ['in-process', 'qmp'] as const;
/** Each look connects to QEMU, which takes its time on a busy host. */
const SOON = { timeout: 10_000 };
type Control = (typeof CONTROLS)[number];

async function started(control: Control): Promise<QemuMachine> {
  const folder = await temporaryFolder('/dev/shm');
  const hypervisor = new QemuHypervisor({ qemu: MORTAL_QEMU, folder, control });
  onTestFinished(() => hypervisor.close());
  return hypervisor.startMachine(bootSectorGuest('guest'));
}

function rollBack(machine: QemuMachine, checkpoints: readonly Checkpointed[]): Promise<Checkpointed> {
  const oldest = checkpoints.at(-1);
  if (oldest === undefined) throw new Error('there is no checkpoint');
  return machine.rollback({ context: oldest.context, logs: checkpoints.map(({ log }) => log) }, PLAN);
}

function release(...checkpoints: readonly Checkpointed[]): void {
  for (const { log, context } of checkpoints) {
    log.release();
    context.release();
  }
}

describeQemu('When QEMU is killed', () => {
  it.each(CONTROLS)('the driver reports it, and rejects all requests for the VM: %s', async (control) => {
    const machine = await started(control);
    await machine.checkpoint(PLAN);
    const gone = next(machine, 'gone');
    process.kill(machine.pid, 'SIGKILL');
    expect((await gone).reason).toContain('QEMU');
    const refused = { code: 'RMK_ERR_GONE' };
    await expect(machine.checkpoint(PLAN)).rejects.toMatchObject(refused);
    await expect(machine.suspend()).rejects.toMatchObject(refused);
    await expect(machine.readRegister('rip')).rejects.toMatchObject(refused);
    await expect(machine.restart()).rejects.toMatchObject(refused);
    const before = machine.clock.now();
    await wait(20);
    expect(machine.clock.now(), 'domain time is stopped').toBe(before);
    const { folder = '' } = machine;
    await machine.close();
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it.each(CONTROLS)('in the middle of checkpoints, none is waited for: %s', async (control) => {
    const machine = await started(control);
    const gone = next(machine, 'gone');
    setTimeout(() => process.kill(machine.pid, 'SIGKILL'), 30);
    await expect(
      (async () => {
        for (;;) release(await machine.checkpoint(PLAN));
      })(),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^RMK_ERR_(GONE|STATE)$/) as string });
    await gone;
  });

  it.each(CONTROLS)('in the middle of rollbacks, none is waited for: %s', async (control) => {
    const machine = await started(control);
    const gone = next(machine, 'gone');
    setTimeout(() => process.kill(machine.pid, 'SIGKILL'), 30);
    await expect(
      (async () => {
        for (;;) {
          const checkpoint = await machine.checkpoint(PLAN);
          await machine.suspend();
          release(await rollBack(machine, [checkpoint]), checkpoint);
          await machine.resume();
        }
      })(),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^RMK_ERR_(GONE|STATE)$/) as string });
    await gone;
  });
});

describeQemu('When QEMU hangs', () => {
  it('closing its VM ends it all the same', { timeout: 60_000 }, async () => {
    const machine = await started('in-process');
    await machine.checkpoint(PLAN);
    process.kill(machine.pid, 'SIGSTOP');
    await machine.close();
    expect(processStart(machine.pid)).toBeUndefined();
  });
});

describeQemu('When the guest is at rest', () => {
  async function stateOf(machine: QemuMachine): Promise<unknown> {
    // RMK's own connection is taken, and the spare one is free as long as RMK lives.
    const qmp = await QmpClient.connect(machineFiles(machine.folder ?? '').spareQmp);
    try {
      return (await queryRunState(qmp)).status;
    } finally {
      qmp.close();
    }
  }

  it.each(CONTROLS)('suspended to RAM by itself, it runs on after a rollback: %s', async (control) => {
    const machine = await started(control);
    const checkpoint = await machine.checkpoint(PLAN);
    await machine.input('serial', new TextEncoder().encode(ORDER.sleep));
    await expect.poll(() => stateOf(machine), SOON).toBe('suspended');
    await machine.suspend();
    await rollBack(machine, [checkpoint]);
    await machine.resume();
    await answers(machine, 'u');
  });

  it.each(CONTROLS)('off, it stays so when RMK dies, and QEMU lives: %s', async (kind) => {
    const { machine, control } = await openMachine(kind);
    const checkpoint = await machine.checkpoint(PLAN);
    await machine.suspend();
    await rollBack(machine, [checkpoint]);
    await machine.resume();
    await machine.input('serial', new TextEncoder().encode(ORDER.off));
    await expect.poll(() => stateOf(machine), SOON).toBe('shutdown');
    // As the kernel does for a process that is killed, but for QMP, by which the state is asked.
    control.connection.close();
    const { folder = '' } = machine;
    await machine.detach();
    const again = await new QemuHypervisor({ control: kind }).attachMachine(folder);
    onTestFinished(() => again.close());
    expect(again.pid).toBe(machine.pid);
    const up = said(again, 'up');
    await again.restart();
    await up;
    await answers(again, 'v');
  });
});

describeQemu('When RMK is killed', () => {
  /** Runs until it has said so many lines of that kind, and is killed then. */
  async function killedIn(what: string, folder: string, control: Control, times: number): Promise<void> {
    const child = spawn(process.execPath, [PROTECT, folder, what, control], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exit = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    let lines = '';
    child.stdout.on('data', (data: Buffer) => {
      lines += data.toString();
      if (lines.split(`${what}\n`).length > times) child.kill('SIGKILL');
    });
    expect(await exit).toBe('SIGKILL');
  }

  const cases = CONTROLS.flatMap((control) =>
    (['checkpoint', 'rollback'] as const).map((what) => ({ control, what })),
  );

  it.each(cases)(
    'in the middle of a $what ($control), the guest runs on, and another RMK protects it',
    { timeout: 120_000 },
    async ({ control, what }) => {
      const first = await started(control);
      const { folder = '', pid } = first;
      const parent = folder.slice(0, folder.lastIndexOf('/'));
      await first.detach();
      for (const times of [1, 7, 20]) {
        await killedIn(what, folder, control, times);
        expect(await findMachines(parent)).toMatchObject([{ folder, pid, isRunning: true }]);
        const hypervisor = new QemuHypervisor({ control });
        const machine = await hypervisor.attachMachine(folder);
        await answers(machine, 'r');
        const older = await machine.checkpoint(PLAN);
        const newer = await machine.checkpoint(PLAN);
        await machine.suspend();
        await rollBack(machine, [newer, older]);
        await machine.resume();
        await answers(machine, 's');
        await machine.detach();
      }
      const last = new QemuHypervisor({ control: 'none' });
      await (await last.attachMachine(folder)).close();
      expect(await findMachines(parent)).toEqual([]);
    },
  );

  it('only one process at a time has the VM', async () => {
    const machine = await started('in-process');
    const other = new QemuHypervisor();
    await expect(other.attachMachine(machine.folder ?? '')).rejects.toMatchObject({
      code: 'RMK_ERR_STATE',
      message: expect.stringContaining(`belongs to process ${process.pid} of RMK`),
    });
    await answers(machine, 't');
  });
});
