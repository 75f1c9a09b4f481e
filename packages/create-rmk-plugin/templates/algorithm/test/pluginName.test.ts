import { P_VCPU } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { pluginName } from '../src/index.js';

type Options = Parameters<typeof pluginName>[0];

/** The whole pipeline, with this algorithm in place of those of RMK. */
function start(options?: Options): Promise<Rig> {
  const plugins = microcheckpoint({ algorithm: pluginName(options), retain: 6 });
  return startRig({ guest: 'tasks', plugins, record: ['EVT_PLUGINNAMEPLANNED'] });
}

const closedEpochs = (rig: Rig) =>
  rig.events('EVT_CHECKPOINTED').flatMap(({ closed }) => (closed === undefined ? [] : [closed]));

it('saves ahead what was written in each of the last epochs, and the guest faults less for it', async () => {
  const rig = await start();
  await rig.advance('1s');
  expect(rig).toHaveCheckpointed({ algorithm: 'rmk-plugin-plugin-name', times: 20 });
  const [first, second, third, fourth] = closedEpochs(rig);
  // When an epoch is planned, the one before it has not ended: so the fourth is the first that is planned by two.
  expect([first, second, third].map((epoch) => epoch?.pagesPreSaved)).toEqual([0, 0, 0]);
  const writtenTwice = first?.updated.filter((frame) => second?.updated.includes(frame)) ?? [];
  expect(writtenTwice.length).toBeGreaterThan(0);
  expect(fourth?.pagesPreSaved).toBe(writtenTwice.length);
  expect(rig).toHavePublished('EVT_PLUGINNAMEPLANNED', { pages: writtenTwice.length });
  const ahead = closedEpochs(rig).reduce((sum, { pagesPreSaved }) => sum + pagesPreSaved, 0);
  const inVain = closedEpochs(rig).reduce((sum, { preSavedInVain }) => sum + preSavedInVain, 0);
  expect(inVain).toBeLessThan(ahead / 2);
});

it.each([1, 2, 4])('loses no page that a rollback needs, with %d epochs', async (epochs) => {
  const rig = await start({ epochs });
  await rig.advance('730ms');
  await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
  await rig.advance('300ms');
  expect(rig).toHaveRecovered({ kind: 'crash', rung: 'target', times: 1 });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});
