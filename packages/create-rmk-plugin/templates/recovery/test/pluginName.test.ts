import 'reflect-metadata';
import { CHECKPOINTS, definePlugin, P_VCPU, RECOVERY, type Plugin, type VcpuPin } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';
import { pluginName } from '../src/index.js';

type Options = Parameters<typeof pluginName>[0];

/** The pins, checkpoints and detectors, and this recovery in place of that of RMK. */
async function start(options?: Options, ...besides: readonly Plugin[]): Promise<Rig> {
  const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/recovery');
  const plugins = [...others, ...besides, pluginName(options)];
  return startRig({ guest: 'tasks', plugins, record: ['EVT_PLUGINNAMEDECIDED'] });
}

/** A wild jump: the next instruction is fetched from where nothing is. */
async function crash(rig: Rig): Promise<void> {
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
}

it('takes a crashed guest back to the checkpoint from before its error, and it continues as if nothing had happened', async () => {
  const rig = await start();
  await rig.advance('730ms');
  await crash(rig);
  await rig.advance('100ms');
  expect(rig).toHaveRecovered({ kind: 'crash', rung: 'target', times: 1 });
  expect(rig).toHavePublished('EVT_PLUGINNAMEDECIDED', { kind: 'crash', takenAtNs: 650e6 });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});

it('goes further back for a hang, to before the guest was suspect', async () => {
  const rig = await start();
  await rig.advance('730ms');
  const vcpu = rig.domain.get(P_VCPU);
  await vcpu.writeRegister('privilege', 3n);
  await vcpu.writeRegister('mie', 0n);
  await vcpu.writeRegister('pc', rig.symbol('park'));
  await rig.advance('300ms');
  expect(rig).toHaveRecovered({ kind: 'hang', rung: 'target' });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});

it('restarts a guest that has no checkpoint to go back to', async () => {
  const rig = await start();
  await rig.advance('10ms');
  await crash(rig);
  await rig.advance('40ms');
  expect(rig).toHaveRecovered({ rung: 'restart', times: 1 });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});

it('restarts a guest whose rollback fails', async () => {
  const rig = await start();
  await rig.advance('730ms');
  // Behind the back of RMK: its checkpoints no longer apply.
  await rig.machine.restart();
  await crash(rig);
  await rig.advance('40ms');
  expect(rig).toHaveRecovered({ rung: 'restart', times: 1 });
  const [recovered] = rig.events('EVT_RECOVERED');
  expect(recovered?.record.attempts).toMatchObject([
    { rung: 'target', failure: expect.any(String) },
    { rung: 'restart' },
  ]);
});

it('gives up after as many recoveries in the window as it may make, and begins again when someone restarts the guest', async () => {
  const rig = await start({ maxRecoveries: 2 });
  for (let time = 0; time < 3; time++) {
    await rig.advance('200ms');
    await crash(rig);
    await rig.advance('20ms');
  }
  expect(rig).toHaveRecovered({ times: 2 });
  expect(rig).toHaveFailedToRecover({
    reason: '2 recoveries within 10min are as many as maxRecoveries allows',
  });
  const givenUpAtNs = rig.nowNs;
  await rig.advance('50ms');
  expect(rig.nowNs).toBe(givenUpAtNs);
  await rig.domain.get(P_VCPU).restart();
  await rig.advance('200ms');
  await crash(rig);
  await rig.advance('20ms');
  expect(rig).toHaveRecovered({ times: 3 });
});

it('goes back as far as the latency of the error may be, be that to the newest checkpoint', async () => {
  const rig = await start();
  await rig.advance('730ms');
  const detected = { atNs: rig.nowNs, kind: 'mistake', cause: 'seen at once', latency: { boundNs: 0 } };
  rig.domain.bus.topic('EVT_ERRORDETECTED').publish(detected);
  await rig.advance('1ms');
  expect(rig).toHavePublished('EVT_PLUGINNAMEDECIDED', { kind: 'mistake', takenAtNs: 700e6 });
});

it('takes a time in the future for now, and notices the next error', async () => {
  const rig = await start();
  await rig.advance('730ms');
  rig.domain.bus.topic('EVT_ERRORDETECTED').publish({ atNs: 1e18, kind: 'mistake', cause: 'another clock' });
  await rig.advance('100ms');
  await crash(rig);
  await rig.advance('20ms');
  expect(rig).toHaveRecovered({ times: 2 });
  expect(rig).toHaveRecovered({ kind: 'crash', times: 1 });
});

it('remembers over its own restart what it did, and that it gave up', async () => {
  const rig = await start({ maxRecoveries: 1 });
  await rig.advance('200ms');
  await crash(rig);
  await rig.advance('20ms');
  await rig.domain.restart('rmk-plugin-plugin-name');
  await rig.advance('200ms');
  await crash(rig);
  await rig.advance('20ms');
  expect(rig).toHaveFailedToRecover({ givenUp: true, times: 1 });
  await rig.domain.restart('rmk-plugin-plugin-name');
  expect(rig.domain.get(RECOVERY).state).toBe('given-up');
  const givenUpAtNs = rig.nowNs;
  await rig.advance('50ms');
  expect(rig.nowNs).toBe(givenUpAtNs);
});

let restartsAtStart = false;

/** Restarts the guest whenever it starts, which is before the recovery does. */
@injectable()
class Restarter {
  constructor(@inject(P_VCPU) private readonly vcpu: VcpuPin) {}

  async start(): Promise<void> {
    if (restartsAtStart) await this.vcpu.restart();
  }
}

const restarter = definePlugin({
  name: 'restarter',
  version: '1.0.0',
  rmk: '*',
  requires: [P_VCPU, CHECKPOINTS],
  before: ['rmk-plugin-plugin-name'],
  modules: [Restarter],
});

it('begins again when someone restarts the guest while this plugin is down', async () => {
  const rig = await start({ maxRecoveries: 1 }, restarter());
  for (let time = 0; time < 2; time++) {
    await rig.advance('200ms');
    await crash(rig);
    await rig.advance('20ms');
  }
  expect(rig.domain.get(RECOVERY).state).toBe('given-up');
  restartsAtStart = true;
  await rig.domain.restart('@rmk/checkpoint');
  restartsAtStart = false;
  expect(rig.domain.get(RECOVERY).state).toBe('ready');
  await rig.advance('200ms');
  await crash(rig);
  await rig.advance('20ms');
  expect(rig).toHaveRecovered({ times: 2 });
});

it('does not count recoveries that are older than the window', async () => {
  const rig = await start({ maxRecoveries: 1, recoveryWindow: '150ms' });
  for (let time = 0; time < 3; time++) {
    await rig.advance('200ms');
    await crash(rig);
    await rig.advance('20ms');
  }
  expect(rig).toHaveRecovered({ times: 3 });
  expect(rig).not.toHaveFailedToRecover();
});
