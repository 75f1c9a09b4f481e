import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CheckpointControl, Cut } from '../src/checkpointControl.js';
import { openControl } from '../src/openControl.js';
import { CountingGuest } from './countingGuest.js';
import { describeQemu } from './qemuPresent.js';

const EVENTS = { lost: () => undefined, closed: () => undefined };
const CHOICE = { logPages: 4096, audit: true, kind: 'in-process', tracker: 'auto' } as const;

async function checkpoints(control: CheckpointControl, count: number): Promise<Cut[]> {
  const cuts: Cut[] = [];
  for (let index = 0; index < count; index++) {
    cuts.push(await control.checkpoint());
    await wait(5);
  }
  return cuts;
}

function at(cuts: readonly Cut[], index: number): Cut {
  const cut = cuts[index];
  if (cut === undefined) throw new Error(`there is no checkpoint ${index}`);
  return cut;
}

describeQemu('control in-process, of a guest that checks its own memory', () => {
  test('a rollback over any number of epochs brings back memory and devices bit for bit', async () => {
    await using guest = await CountingGuest.start();
    await guest.proves();
    const { control } = await openControl(guest.target, CHOICE, EVENTS);
    for (let epochs = 1; epochs <= 8; epochs++) {
      const cuts = await checkpoints(control, epochs);
      const back = await control.rollback(at(cuts, 0).state, cuts.map(({ log }) => log).toReversed());
      expect(back.audit).toEqual({ ramDigest: at(cuts, 0).audit?.ramDigest, stateDifferences: [] });
      for (const { state, log } of [...cuts, back]) {
        control.releaseLog(log);
        control.releaseState(state);
      }
      await guest.target.qmp.execute('cont');
      await guest.proves();
    }
    await control.close();
    await guest.proves();
  });

  test('after a rollback an older checkpoint can be reached still', async () => {
    await using guest = await CountingGuest.start();
    const { control } = await openControl(guest.target, CHOICE, EVENTS);
    const cuts = await checkpoints(control, 3);
    const back = await control.rollback(at(cuts, 1).state, [at(cuts, 2).log, at(cuts, 1).log]);
    await guest.target.qmp.execute('cont');
    await guest.proves();
    const older = await control.rollback(at(cuts, 0).state, [back.log, at(cuts, 0).log]);
    expect(older.audit).toEqual({ ramDigest: at(cuts, 0).audit?.ramDigest, stateDifferences: [] });
    await guest.target.qmp.execute('cont');
    await guest.proves();
  });
});
