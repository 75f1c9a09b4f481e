import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CheckpointControl, ControlKind, Cut } from '../src/checkpointControl.js';
import { openControl } from '../src/openControl.js';
import { CountingGuest } from './countingGuest.js';
import { describeQemu } from './qemuPresent.js';

interface Opened extends AsyncDisposable {
  readonly guest: CountingGuest;
  readonly control: CheckpointControl;
  readonly lost: readonly string[];
  readonly closed: readonly string[];
  /** Lets the VM run on, and waits until the guest has proved again that its memory is of one moment. */
  goesOn(): Promise<void>;
}

async function opened(kind: ControlKind, logPages = 4096): Promise<Opened> {
  const guest = await CountingGuest.start();
  await guest.proves();
  const lost: string[] = [];
  const closed: string[] = [];
  const events = {
    lost: (reason: string) => lost.push(reason),
    closed: (reason: string) => closed.push(reason),
  };
  const { control } = await openControl(
    guest.target,
    { logPages, audit: true, kind, tracker: 'auto' },
    events,
  );
  return {
    guest,
    control,
    lost,
    closed,
    goesOn: async () => {
      await guest.target.qmp.execute('cont');
      await guest.proves();
    },
    [Symbol.asyncDispose]: () => guest[Symbol.asyncDispose](),
  };
}

async function checkpoints(control: CheckpointControl, count: number): Promise<Cut[]> {
  const cuts: Cut[] = [];
  for (let index = 0; index < count; index++) {
    cuts.push(await control.checkpoint());
    await wait(5);
  }
  return cuts;
}

function at(cuts: readonly Cut[], index: number): Cut {
  const cut = cuts.at(index);
  if (cut === undefined) throw new Error(`there is no checkpoint ${index}`);
  return cut;
}

function release(control: CheckpointControl, cuts: readonly Cut[]): void {
  for (const { state, log } of cuts) {
    control.releaseLog(log);
    control.releaseState(state);
  }
}

/** The audit of a rollback that brought everything back. */
function exactly(cut: Cut): unknown {
  return { ramDigest: cut.audit?.ramDigest, stateDifferences: [] };
}

for (const kind of ['in-process', 'qmp'] as const) {
  describeQemu(`control ${kind}, of a guest that checks its own memory`, () => {
    test('a rollback over any number of epochs brings back memory and devices bit for bit', async () => {
      await using vm = await opened(kind);
      for (let epochs = 1; epochs <= 8; epochs++) {
        const cuts = await checkpoints(vm.control, epochs);
        const back = await vm.control.rollback(at(cuts, 0).state, cuts.map(({ log }) => log).toReversed());
        expect(back.audit).toEqual(exactly(at(cuts, 0)));
        release(vm.control, [...cuts, back]);
        await vm.goesOn();
      }
      await vm.control.close();
      await vm.guest.proves();
    });

    test('after a rollback an older checkpoint can be reached still', async () => {
      await using vm = await opened(kind);
      const cuts = await checkpoints(vm.control, 3);
      const back = await vm.control.rollback(at(cuts, 1).state, [at(cuts, 2).log, at(cuts, 1).log]);
      await vm.goesOn();
      const older = await vm.control.rollback(at(cuts, 0).state, [back.log, at(cuts, 0).log]);
      expect(older.audit).toEqual(exactly(at(cuts, 0)));
      await vm.goesOn();
    });
  });
}
