import { P_VCPU } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { pluginName } from '../src/index.js';

type Options = Parameters<typeof pluginName>[0];

/** The pins, checkpoints and detectors, and this recovery in place of that of RMK. */
async function start(options?: Options): Promise<Rig> {
  const others = microcheckpoint().filter(({ definition }) => definition.name !== '@rmk/recovery');
  const plugins = [...others, pluginName(options)];
  return startRig({ guest: 'tasks', plugins, record: ['EVT_PLUGINNAMEDECIDED'] });
}

/** A wild jump: the next instruction is fetched from where nothing is. */
async function crash(rig: Rig): Promise<void> {
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
}

it('takes a crashed guest back to the checkpoint before the newest, and it continues as if nothing had happened', async () => {
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
