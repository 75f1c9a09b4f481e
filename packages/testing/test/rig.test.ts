import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  definePlugin,
  OPTIONS,
  VIRTUAL_MACHINE,
  type Bus,
  type Module,
  type VirtualMachine,
} from '@rmk/core';
import { EMBEDDED_MACHINE } from '@rmk/hypervisor-embedded';
import { checkpoint } from '@rmk/checkpoint';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import * as fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goldenRun, startRig } from '../src/index.js';
import { cases } from '../../../test/long.js';

const tasks = { guest: 'tasks' } as const;
const CYCLE_NS = 10;

/** A plugin whose author made a mistake. */
@injectable()
class Careless implements Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly mistake: string,
  ) {}

  start(): void {
    // Past the domain, which would have released it.
    if (this.mistake === 'leak') this.machine.extension(EMBEDDED_MACHINE)?.clock.every(1e6, () => undefined);
    this.bus.on('EVT_VCPUSUSPENDED', () => {
      if (this.mistake === 'throw') throw new Error('a mistake');
    });
  }

  stop(): void {
    if (this.mistake === 'stop') throw new Error('cannot stop');
  }
}

class NeverStarts implements Module {
  start(): void {
    throw new Error('no such device');
  }
}

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_TESTSOWN: { readonly atNs: number };
  }
}

const careless = definePlugin({
  name: 'rmk-plugin-careless',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  modules: [Careless],
  options: z.enum(['leak', 'throw', 'stop']),
});

describe('the rig', () => {
  it('advances by exactly the given time, and the guest does the same in steps of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 10 }),
        async (cycles) => {
          const rig = await startRig({ ...tasks, plugins: [] });
          let expectedNs = 0;
          for (const step of cycles) {
            await rig.advance(`${step * CYCLE_NS}ns`);
            expectedNs += step * CYCLE_NS;
            expect(rig.nowNs).toBe(expectedNs);
          }
          expect(rig.guestState).toEqual(await goldenRun(tasks, expectedNs));
          await rig.stop();
        },
      ),
      { numRuns: cases(4, 100) },
    );
  });

  it('allows a missing plugin, and events of the test, where options say so', async () => {
    const events = ['EVT_TESTSOWN'] as const;
    const lost = (name: string) =>
      definePlugin({ name, version: '1.0.0', rmk: '*', modules: [NeverStarts] })();
    const plugins = [lost('rmk-plugin-lost')];
    const onFailure = { 'rmk-plugin-lost': 'continue' } as const;
    const rig = await startRig({ ...tasks, plugins, onFailure, events, record: events });
    await rig.domain.install(lost('rmk-plugin-lost-too'), { onFailure: 'continue' });
    rig.domain.bus.topic('EVT_TESTSOWN').publish({ atNs: 0 });
    expect(rig.domain.plugins.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(rig).toHavePublished('EVT_TESTSOWN', { source: 'host' });
  });

  it('advances to the next whole instruction where less than one is asked for', async () => {
    const rig = await startRig({ ...tasks, plugins: [] });
    await rig.advance('1ns');
    expect(rig.nowNs).toBe(CYCLE_NS);
  });

  it('runs a guest to its end, or as far as it goes', async () => {
    const rig = await startRig({ ...tasks, plugins: [pinVcpu()] });
    await rig.advance('5ms');
    await rig.machine.writeRegister('privilege', 3n);
    await rig.machine.writeRegister('a0', 3n);
    await rig.machine.writeRegister('pc', rig.symbol('exit'));
    expect(await rig.runToEnd()).toBe(3);
    const endNs = rig.nowNs;
    await rig.advance('5ms');
    expect(rig.nowNs).toBe(endNs);
  });

  it('says which symbol the guest does not have', async () => {
    const rig = await startRig({ ...tasks, plugins: [] });
    expect(() => rig.symbol('nowhere')).toThrow('tasks.elf has no symbol nowhere');
  });

  it('waits for what handlers have begun, without letting the guest run', async () => {
    const rig = await startRig({ ...tasks, plugins: [] });
    let isDone = false;
    rig.domain.bus.on('EVT_VCPUSUSPENDED', async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      isDone = true;
    });
    rig.domain.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: 0 });
    await rig.advance('0ms');
    expect(isDone).toBe(true);
    expect(rig.nowNs).toBe(0);
  });

  it('records events in the order of their delivery', async () => {
    const rig = await startRig({ ...tasks, plugins: [pinVmio()] });
    await rig.advance('20ms');
    const { bus } = rig.domain;
    bus.on('EVT_VCPUSUSPENDED', () => bus.topic('EVT_VMRESTARTED').publish({ atNs: 21e6 }));
    bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: 20e6 });
    bus.topic('EVT_VCPURESUMED').publish({ atNs: 22e6 });
    expect(
      rig
        .timeline()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      '10.000 ms  EVT_VMOUTPUT            @rmk/pin-vmio  uart: "tasks: 10 tasks in user mode, 18 rounds each\\n"',
      '20.000 ms  EVT_VCPUSUSPENDED       host',
      '21.000 ms  EVT_VMRESTARTED         host',
      '22.000 ms  EVT_VCPURESUMED         host',
    ]);
    const sequence = (
      ['EVT_VMOUTPUT', 'EVT_VCPUSUSPENDED', 'EVT_VMRESTARTED', 'EVT_VCPURESUMED'] as const
    ).flatMap((name) => rig.events(name).map((event) => event.sequence));
    expect(sequence).toEqual(sequence.toSorted((a, b) => a - b));
  });

  it('rolls back to a checkpoint, or to that of a time, and resumes the guest', async () => {
    const plugins = [pinVcpu(), pinPtable(), checkpoint({ interval: '5ms', retain: 4 }), cowb()];
    const rig = await startRig({ ...tasks, plugins });
    await rig.advance('12ms');
    await rig.rollBack(5e6);
    expect(rig.guestState).toEqual(await goldenRun(tasks, 5e6));
    await rig.advance('3ms');
    expect(rig.machine.guestNs).toBe(8e6);
    const [newest] = rig.domain.get(CHECKPOINTS).retained;
    if (newest !== undefined) await rig.rollBack(newest);
    expect(rig.machine.guestNs).toBe(5e6);
    await expect(rig.rollBack(1)).rejects.toThrow(
      'RMK_ERR_UNPROTECTED: rollBack: no retained checkpoint was taken at 1 ns.',
    );
  });

  it('refuses to return events that it does not record', async () => {
    const rig = await startRig({ ...tasks, plugins: [] });
    expect(() => rig.events('EVT_VMSCHEDULED')).toThrow("name it in the rig's option `record`");
  });

  it('misses nothing that happens while plugins start', async () => {
    const seen: number[] = [];
    await startRig({
      ...tasks,
      plugins: [pinVcpu()],
      observe: (bus) => {
        bus.on('EVT_VCPUSUSPENDED', ({ atNs }) => void seen.push(atNs));
        bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: 7 });
      },
    });
    expect(seen).toEqual([7]);
  });

  it('passes on what a domain is refused with', async () => {
    await expect(startRig({ ...tasks, plugins: [checkpoint()] })).rejects.toMatchObject({
      code: 'RMK_ERR_MISSING',
    });
  });

  it('runs beside the VM of another rig, each with a clock of its own', async () => {
    const one = await startRig({ ...tasks, plugins: [] });
    const other = await startRig({
      ...tasks,
      machine: { name: 'other' },
      plugins: [],
      hypervisor: one.hypervisor,
    });
    await one.advance('5ms');
    expect([one.nowNs, other.nowNs]).toEqual([5e6, 5e6]);
    await one.stop();
    await other.advance('5ms');
    expect([one.nowNs, other.nowNs]).toEqual([5e6, 10e6]);
  });
});

describe('a test with a rig fails', () => {
  it.fails('where a plugin leaves a timer behind', async () => {
    await startRig({ ...tasks, plugins: [careless('leak')] });
  });

  it.fails('where a plugin cannot be stopped', async () => {
    await startRig({ ...tasks, plugins: [careless('stop')] });
  });

  it.fails('where a plugin throws and is not expected to', async () => {
    const rig = await startRig({ ...tasks, plugins: [careless('throw')] });
    rig.domain.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: 0 });
  });

  it('and says what is wrong, once', async () => {
    const leaking = await startRig({ ...tasks, plugins: [careless('leak')] });
    await expect(leaking.stop()).rejects.toThrow(
      'rmk-plugin-careless left a timer each 1.000 ms on the VM tasks, taken in Careless.start',
    );
    await leaking.stop();
    const throwing = await startRig({ ...tasks, plugins: [careless('throw')] });
    throwing.domain.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: 0 });
    await expect(throwing.stop()).rejects.toThrow(
      'rmk-plugin-careless had a fault in EVT_VCPUSUSPENDED: a mistake',
    );
  });

  it('but not where the fault is expected', async () => {
    const rig = await startRig({ ...tasks, plugins: [careless('throw')], faults: 'expected' });
    rig.domain.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: 0 });
    expect(rig.events('EVT_PLUGINFAULT')).toHaveLength(1);
  });
});

describe('a golden run', () => {
  it('is a run of the guest alone, to its end or to a moment', async () => {
    const rig = await startRig({ ...tasks, plugins: [] });
    await rig.advance('123.45678ms');
    expect(await goldenRun(tasks, 123_456_780)).toEqual(rig.guestState);
    const loop = Uint8Array.of(0x6f, 0, 0, 0);
    const state = await goldenRun(
      { ...tasks, machine: { bootData: [{ address: 0x8000_0000, data: loop }] } },
      1e6,
    );
    expect(state).toMatchObject({ exitCode: undefined, guestNs: 1e6, instructions: 1e5, output: '' });
  });
});
