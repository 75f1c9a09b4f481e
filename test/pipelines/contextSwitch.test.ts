import type { Duration } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { hangDetector } from '@rmk/hang-detector';
import { EmbeddedHypervisor, type EmbeddedMachine, type MachineOptions } from '@rmk/hypervisor-embedded';
import { pinVmschl } from '@rmk/pin-vmschl';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';

const CURRENT_TASK = { contextSwitch: { symbol: 'current_task' } } as const;

function rtos(options: Partial<MachineOptions> = {}): MachineOptions {
  return { name: 'rtos', elf: readGuest('rtos'), memoryBytes: 32 << 20, ...options };
}

async function start(options: Partial<MachineOptions>, threshold: Duration = '50ms'): Promise<Rig> {
  const plugins = [pinVmschl(), hangDetector({ signs: ['context-switch'], threshold })];
  return startRig({ machine: rtos(options), plugins });
}

/** A task takes the scheduler's lock and loops, with interrupts on: the ticks go on, and nothing else does. */
async function hang(rig: Rig): Promise<void> {
  const locked = rig.symbol('scheduler_locked');
  await rig.machine.write(Number(locked), Uint8Array.of(1, 0, 0, 0));
}

function valueOf(machine: EmbeddedMachine, symbol: string): Promise<Uint8Array> {
  return machine.read(machine.image.symbols.get(symbol) ?? 0, 4);
}

describe('a real-time kernel that keeps its current task in a variable', () => {
  it('switches tasks without moving mscratch', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(rtos());
    const scratch = new Set<bigint>();
    const tasks = new Set<string>();
    for (let ms = 1; ms <= 40; ms++) {
      await hypervisor.run({ untilNs: ms * 1e6 });
      scratch.add(await machine.readRegister('mscratch'));
      tasks.add(String(await valueOf(machine, 'current_task')));
    }
    expect(scratch.size).toBe(1);
    expect(tasks.size).toBe(3);
  });

  it('gives no sign of its switches where nothing names the variable', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(rtos());
    const signs: number[] = [];
    machine.observe('scheduled', ({ progress }) => {
      signs.push(...progress.filter(({ sign }) => sign === 'context-switch').map(({ atNs }) => atNs));
    });
    await hypervisor.run({ untilNs: 300e6 });
    // Start-up sets mscratch, and nothing moves it after that.
    expect(signs).toEqual([]);
    await hypervisor.close();
  });

  it('is warned of and not accused where nothing names the variable', async () => {
    const rig = await start({});
    await rig.advance('600ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    expect(rig.events('EVT_WARNING')).toMatchObject([{ code: 'RMK_WARN_SIGNS' }]);
  });

  it('is accused of a hang where the variable is named', async () => {
    const rig = await start(CURRENT_TASK);
    await rig.advance('30ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    await hang(rig);
    await rig.advance('100ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ kind: 'hang' }]);
    expect(rig.events('EVT_WARNING')).toEqual([]);
  });

  it('is not accused while it works, and ends with its checksum', async () => {
    // At the end one task is left, which has nobody to take turns with for 130 ms.
    const rig = await start(CURRENT_TASK, '200ms');
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.output).toMatch(
      /^rtos: three tasks in machine mode\n(\w+ +[0-9a-f]{8}\n){3}rtos: ok 77c6cde8\n$/,
    );
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });
});

describe('a guest that has one task left for longer than the threshold', () => {
  it.each([
    { signs: ['context-switch', 'heartbeat', 'timer-rearmed'], accused: true },
    { signs: ['context-switch'], accused: true },
    { signs: ['timer-rearmed'], accused: false },
  ])('is accused: $accused, with the signs $signs', async ({ signs, accused }) => {
    const plugins = [pinVmschl(), hangDetector({ signs, threshold: '50ms' })];
    const rig = await startRig({ machine: rtos(CURRENT_TASK), plugins });
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.events('EVT_ERRORDETECTED').length > 0).toBe(accused);
  });
});
