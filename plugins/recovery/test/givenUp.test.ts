import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import {
  CHECKPOINTS,
  definePlugin,
  P_VCPU,
  RECOVERY,
  type Module,
  type Plugin,
  type VcpuPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { recovery } from '../src/index.js';
import { MS, ProtectedVm } from './protectedVm.js';

const stuck = new Error('stuck');

/** A VM without checkpoints that was given up at once, at 15 ms. */
async function givenUp(): Promise<ProtectedVm> {
  const vm = await ProtectedVm.start({ checkpoints: 'none', recovery: { maxRestarts: 0 } });
  await vm.runTo(15);
  await vm.crash();
  return vm;
}

function failNext(vm: ProtectedVm, operation: 'suspend' | 'resume' | 'restart', times = 1): void {
  for (let time = 0; time < times; time += 1) vm.rig.pins.vcpu.failNext(operation, stuck);
}

const retries = (done: string, times = 3) =>
  Array<string>(times).fill(`RMK_WARN_VCPU: the VM could not be ${done}, which is tried again: stuck`);

describe('a P_VCPU that fails', () => {
  it.each(['suspend', 'resume'] as const)('to %s three times is asked again each time', async (operation) => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    failNext(vm, operation, 3);
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1']);
    expect(vm.warnings).toEqual(retries(`${operation.replace(/e$/, '')}ed`));
    expect(vm.rig.machine.isSuspended).toBe(false);
  });

  it('to suspend at all ends that recovery, and the next error is recovered from', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    failNext(vm, 'suspend', 4);
    await vm.crash();
    expect(vm.failures).toEqual([['the VM could not be suspended: stuck', false]]);
    expect(vm.rig.events('EVT_RECOVERYFAILED')).toMatchObject([
      { atNs: 37 * MS, attempts: [], trigger: { kind: 'crash', atNs: 37 * MS } },
    ]);
    expect(vm.warnings).toEqual(retries('suspended'));
    expect(vm.state).toBe('ready');
    await vm.rig.advance('1ms');
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1']);
  });

  it('to resume at all has the VM given up, which no other plugin resumes', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    failNext(vm, 'resume', 4);
    await vm.crash();
    expect(vm.records).toEqual([]);
    expect(vm.failures).toEqual([['the VM was recovered, but could not be resumed: stuck', true]]);
    expect(vm.rig.events('EVT_RECOVERYFAILED')).toMatchObject([
      { attempts: [{ rung: 'target', takenAtNs: 30 * MS }] },
    ]);
    expect(vm.state).toBe('given-up');
    const vcpu = vm.rig.domain.get(P_VCPU);
    await vcpu.resume(await vcpu.suspend());
    expect(vm.rig.machine.isSuspended).toBe(true);
  });

  it('to resume a VM that was given up leaves no suspension behind but one: a restart frees it', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    failNext(vm, 'resume', 4);
    await vm.crash();
    await vm.rig.domain.get(P_VCPU).restart();
    await vm.rig.advance('0ms');
    expect(vm.state).toBe('ready');
    expect(vm.rig.machine.isSuspended).toBe(false);
  });

  it('to resume and to suspend again has the VM given up with the suspension that there is', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    failNext(vm, 'resume', 4);
    vm.rig.domain.bus.on('EVT_ROLLEDBACK', () => failNext(vm, 'suspend', 4));
    await vm.crash();
    expect(vm.failures).toEqual([['the VM was recovered, but could not be resumed: stuck', true]]);
    expect(vm.rig.machine.isSuspended).toBe(true);
    await vm.rig.domain.get(P_VCPU).restart();
    await vm.rig.advance('0ms');
    expect(vm.rig.machine.isSuspended).toBe(false);
  });

  it('to resume after somebody restarted the VM has it given up again', async () => {
    const vm = await givenUp();
    failNext(vm, 'resume', 4);
    await vm.rig.domain.get(P_VCPU).restart();
    await vm.rig.advance('0ms');
    expect(vm.failures).toEqual([
      ['0 restarts within 10min are as many as maxRestarts allows', true],
      ['the VM was restarted, but could not be resumed: stuck', true],
    ]);
    expect(vm.rig.events('EVT_RECOVERYFAILED')[1]?.attempts).toEqual(
      vm.rig.events('EVT_RECOVERYFAILED')[0]?.attempts,
    );
    expect(vm.state).toBe('given-up');
    await vm.rig.domain.get(P_VCPU).restart();
    await vm.rig.advance('0ms');
    expect(vm.state).toBe('ready');
    expect(vm.rig.machine.isSuspended).toBe(false);
  });

  it('to restart has the VM given up, with the reason', async () => {
    const vm = await ProtectedVm.start({ checkpoints: 'none' });
    await vm.runTo(15);
    failNext(vm, 'restart');
    await vm.crash();
    expect(vm.failures).toEqual([['stuck', true]]);
    expect(vm.rig.events('EVT_RECOVERYFAILED')[0]?.attempts).toEqual([
      { rung: 'target', failure: 'no checkpoint is retained' },
      { rung: 'restart', failure: 'stuck' },
    ]);
  });
});

describe('the VM that a recovery gave up', () => {
  it('stays suspended, and errors are ignored, until somebody restarts it', async () => {
    const vm = await givenUp();
    expect(vm.failures).toEqual([['0 restarts within 10min are as many as maxRestarts allows', true]]);
    await vm.rig.advance('10ms');
    expect(vm.rig.nowNs).toBe(15 * MS);
    await vm.crash({ atNs: 14 * MS });
    expect(vm.failures).toHaveLength(1);
    await vm.rig.domain.get(P_VCPU).restart();
    expect(vm.state).toBe('ready');
    await vm.rig.advance('10ms');
    expect(vm.rig.nowNs).toBe(25 * MS);
  });

  it.each(['@rmk/recovery', '@rmk/checkpoint', 'rmk-fake-vcpu'])(
    'stays so over a restart of %s, until somebody restarts it',
    async (plugin) => {
      const vm = await givenUp();
      await vm.rig.domain.restart(plugin);
      expect(vm.state).toBe('given-up');
      await vm.rig.advance('10ms');
      expect(vm.rig.nowNs).toBe(15 * MS);
      await vm.rig.domain.get(P_VCPU).restart();
      expect(vm.state).toBe('ready');
      await vm.rig.advance('10ms');
      expect(vm.rig.nowNs).toBe(25 * MS);
    },
  );

  it('runs if it is restarted while a new instance of the recovery starts', async () => {
    const vm = await givenUp();
    // The first suspension of the new instance is the one by which it holds the VM.
    vm.rig.domain.bus.on('EVT_VCPUSUSPENDED', () => vm.rig.domain.get(P_VCPU).restart());
    await vm.rig.domain.restart('@rmk/recovery');
    await vm.rig.advance('10ms');
    expect(vm.state).toBe('ready');
    expect(vm.rig.machine.isSuspended).toBe(false);
  });

  it('is released by the removal of the recovery, and another one is ready', async () => {
    const vm = await givenUp();
    await vm.rig.domain.remove('@rmk/recovery');
    await vm.rig.advance('0ms');
    expect(vm.rig.machine.isSuspended).toBe(false);
    await vm.rig.domain.install(recovery());
    expect(vm.rig.domain.get(RECOVERY).state).toBe('ready');
  });

  it('is none where all that failed is what a recovery began that has been restarted since', async () => {
    // Asking again takes P_VCPU's last failure beyond the stop timeout.
    const vm = await ProtectedVm.start({ timeouts: { stop: '50ms' }, faults: 'expected' });
    await vm.runTo(37);
    failNext(vm, 'resume', 4);
    let restarted: Promise<void> | undefined;
    vm.rig.domain.bus.on('EVT_WARNING', () => {
      restarted ??= vm.rig.domain.restart('@rmk/recovery');
    });
    await vm.crash();
    await restarted;
    // Of host time: the same again for the suspension that it asks for then.
    await setTimeout(400);
    expect(vm.failures).toEqual([]);
    expect(vm.state).toBe('ready');
    await vm.rig.domain.restart('@rmk/recovery');
    expect(vm.state).toBe('ready');
  });
});

describe('a restart by somebody else', () => {
  it('has the recovery begin again: what failed before is new', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash();
    await vm.runTo(37);
    await vm.crash();
    await vm.rig.domain.get(P_VCPU).restart();
    await vm.rig.advance('0ms');
    await vm.runTo(37);
    await vm.crash();
    expect(vm.rungs).toEqual(['target 1', 'older 2', 'target 1']);
  });

  it('has an error of that very moment count, though the VM had been recovered just then', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash();
    await vm.rig.domain.get(P_VCPU).restart();
    await vm.rig.advance('0ms');
    await vm.crash({ kind: 'of the new life' });
    expect(vm.records.map(({ trigger }) => trigger.kind)).toEqual(['crash', 'of the new life']);
  });
});

describe('maxRestarts', () => {
  /** Fails after 15, 17, 19 … ms of guest time, each time further than before, without any checkpoint. */
  async function failing(
    times: number,
    options: { maxRestarts?: number },
    plugins: readonly Plugin[] = [],
    between: (vm: ProtectedVm) => Promise<void> = async () => {},
  ): Promise<ProtectedVm> {
    const vm = await ProtectedVm.start({ checkpoints: 'none', recovery: options, plugins });
    for (let time = 0; time < times; time += 1) {
      await vm.runTo(15 + 2 * time);
      await vm.crash();
      await between(vm);
    }
    return vm;
  }

  it('is three within ten minutes by default', async () => {
    const vm = await failing(4, {});
    expect(vm.rungs).toEqual(['restart 1', 'restart 1', 'restart 1']);
    expect(vm.failures).toEqual([['3 restarts within 10min are as many as maxRestarts allows', true]]);
  });

  it.each([-1, 0.5])('is a whole number, and none is the fewest: not %d', async (maxRestarts) => {
    await expect(ProtectedVm.start({ recovery: { maxRestarts } })).rejects.toThrow('maxRestarts');
  });

  it('allows as many, and no more', async () => {
    const vm = await failing(3, { maxRestarts: 2 });
    expect(vm.rungs).toEqual(['restart 1', 'restart 1']);
    expect(vm.failures).toEqual([['2 restarts within 10min are as many as maxRestarts allows', true]]);
  });

  it.each(['@rmk/recovery', '@rmk/checkpoint', '@rmk/restart-watch'])(
    'holds over a restart of %s',
    async (plugin) => {
      const vm = await failing(2, { maxRestarts: 1 }, [], ({ rig }) => rig.domain.restart(plugin));
      expect(vm.failures).toEqual([['1 restarts within 10min are as many as maxRestarts allows', true]]);
    },
  );

  it('counts from the restart by somebody else', async () => {
    const vm = await failing(2, { maxRestarts: 1 }, [], async ({ rig }) => {
      await rig.domain.get(P_VCPU).restart();
      await rig.advance('0ms');
    });
    expect(vm.rungs).toEqual(['restart 1', 'restart 1']);
  });

  it('counts from the restart by somebody else while the recovery is down', async () => {
    let isRestarting = false;
    @injectable()
    class Restarter implements Module {
      constructor(@inject(P_VCPU) private readonly vcpu: VcpuPin) {}

      async start(): Promise<void> {
        if (isRestarting) await this.vcpu.restart();
      }
    }
    const restarter = definePlugin({
      name: 'restarter',
      version: '1.0.0',
      rmk: '*',
      requires: [P_VCPU, CHECKPOINTS],
      before: ['@rmk/recovery'],
      modules: [Restarter],
    });
    for (const maxRestarts of [0, 1]) {
      isRestarting = false;
      const vm = await failing(maxRestarts + 1, { maxRestarts }, [restarter()]);
      expect(vm.state).toBe('given-up');
      isRestarting = true;
      await vm.rig.domain.restart('@rmk/checkpoint');
      expect(vm.state).toBe('ready');
      await vm.runTo(15);
      await vm.crash();
      expect(vm.rungs).toEqual(maxRestarts === 0 ? [] : ['restart 1', 'restart 1']);
    }
  });

  it('counts within the restart window alone, whose beginning is no part of it', async () => {
    // Restarted at 10 ms, and to be restarted so long after that.
    for (const [ms, rungs] of [
      [14.999999, ['restart 1']],
      [15, ['restart 1', 'restart 1']],
    ] as const) {
      const vm = await ProtectedVm.start({
        checkpoints: 'none',
        recovery: { maxRestarts: 1, restartWindow: '15ms' },
      });
      await vm.runTo(10);
      await vm.crash();
      await vm.runTo(ms);
      await vm.crash();
      expect(vm.rungs).toEqual(rungs);
    }
  });
});
