import 'reflect-metadata';
import {
  BUS,
  definePlugin,
  P_VCPU,
  provide,
  RECOVERY,
  VIRTUAL_MACHINE,
  type Bus,
  type Suspension,
  type VirtualMachine,
} from '@rmk/core';
import { Vcpu } from '@rmk/pin-vcpu';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { beforeEach, expect, it } from 'vitest';
import { pluginName } from '../src/index.js';

/** How many of the next calls fail, and what happens once the VM runs and before its resumer knows. */
const stubborn = { suspend: 0, resume: 0, afterResuming: () => {} };

beforeEach(() => {
  Object.assign(stubborn, { suspend: 0, resume: 0, afterResuming: () => {} });
});

@injectable()
class StubbornVcpu extends Vcpu {
  constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
    super(machine, bus);
  }

  override async suspend(): Promise<Suspension> {
    if (stubborn.suspend-- > 0) throw new Error('stuck');
    return super.suspend();
  }

  override async resume(suspension: Suspension): Promise<void> {
    if (stubborn.resume-- > 0) throw new Error('stuck');
    await super.resume(suspension);
    const { afterResuming } = stubborn;
    stubborn.afterResuming = () => {};
    afterResuming();
  }
}

const stubbornVcpu = definePlugin({
  name: 'stubborn-vcpu',
  version: '1.0.0',
  rmk: '*',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VCPU, StubbornVcpu)],
});

async function started(): Promise<Rig> {
  const replaced = ['@rmk/recovery', '@rmk/pin-vcpu'];
  const others = microcheckpoint().filter(({ definition }) => !replaced.includes(definition.name));
  const rig = await startRig({ guest: 'tasks', plugins: [stubbornVcpu(), ...others, pluginName()] });
  await rig.advance('730ms');
  return rig;
}

it.each(['suspend', 'resume'] as const)('retries a %s that fails', async (operation) => {
  const rig = await started();
  stubborn[operation] = 3;
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
  await rig.advance('100ms');
  expect(rig).toHaveRecovered({ rung: 'target', times: 1 });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});

it('is ready for the next error of a guest that cannot be suspended', async () => {
  const rig = await started();
  stubborn.suspend = 4;
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
  await rig.advance('20ms');
  expect(rig).toHaveFailedToRecover({ givenUp: false, times: 1 });
  expect(rig).toHaveRecovered({ times: 1 });
});

it('gives up a guest that cannot be resumed, until someone restarts it', async () => {
  const rig = await started();
  stubborn.resume = 4;
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
  await rig.advance('1ms');
  expect(rig).toHaveFailedToRecover({ givenUp: true, times: 1 });
  expect(rig.domain.get(RECOVERY).state).toBe('given-up');
  await rig.domain.get(P_VCPU).restart();
  const { nowNs } = rig;
  await rig.advance('10ms');
  expect(rig.nowNs).toBe(nowNs + 10e6);
});

it('undoes an error that is reported together with the response to resume', async () => {
  const rig = await started();
  const report = (kind: string) =>
    rig.domain.bus.topic('EVT_ERRORDETECTED').publish({ atNs: rig.nowNs, kind, cause: 'a cause' });
  stubborn.afterResuming = () => report('second');
  report('first');
  await rig.advance('1ms');
  expect(rig.events('EVT_RECOVERED').map(({ record }) => record.trigger.kind)).toEqual(['first', 'second']);
});
