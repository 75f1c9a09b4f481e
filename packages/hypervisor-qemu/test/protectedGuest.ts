import { setTimeout as wait } from 'node:timers/promises';
import type { CheckpointControl, ControlKind, Cut } from '../src/checkpointControl.js';
import { openControl } from '../src/openControl.js';
import { CountingGuest, type CountingGuestOptions } from './countingGuest.js';

/** The counting guest under a control, with all audits. */
export interface ProtectedGuest extends AsyncDisposable {
  readonly guest: CountingGuest;
  readonly control: CheckpointControl;
  readonly why: string;
  readonly lost: readonly string[];
  readonly closed: readonly string[];
  /** Lets the VM run on, and waits until the guest has proved again that its memory is of one moment. */
  goesOn(): Promise<void>;
}

export async function protectedGuest(
  kind: ControlKind | 'auto',
  { logPages = 4096, ...options }: CountingGuestOptions & { readonly logPages?: number } = {},
): Promise<ProtectedGuest> {
  const guest = await CountingGuest.start(options);
  await guest.proves();
  const lost: string[] = [];
  const closed: string[] = [];
  const events = {
    lost: (reason: string) => lost.push(reason),
    closed: (reason: string) => closed.push(reason),
  };
  const { control, why } = await openControl(
    guest.target,
    { logPages, audit: true, kind, tracker: 'auto' },
    events,
  );
  return {
    guest,
    control,
    why,
    lost,
    closed,
    goesOn: async () => {
      await guest.target.qmp.execute('cont');
      await guest.proves();
    },
    [Symbol.asyncDispose]: () => guest[Symbol.asyncDispose](),
  };
}

export async function checkpoints(control: CheckpointControl, count: number): Promise<Cut[]> {
  const cuts: Cut[] = [];
  for (let index = 0; index < count; index++) {
    cuts.push(await control.checkpoint());
    await wait(5);
  }
  return cuts;
}

export function at(cuts: readonly Cut[], index: number): Cut {
  const cut = cuts.at(index);
  if (cut === undefined) throw new Error(`there is no checkpoint ${index}`);
  return cut;
}

export function release(control: CheckpointControl, cuts: readonly Cut[]): void {
  for (const { state, log } of cuts) {
    control.releaseLog(log);
    control.releaseState(state);
  }
}

/** The audit of a rollback that brought everything back. */
export function exactly(cut: Cut): unknown {
  return { ramDigest: cut.audit?.ramDigest, stateDifferences: [] };
}
