import { release as kernelRelease } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { CheckpointControl, ControlKind, ControlCheckpoint } from '../src/control/checkpointControl.js';
import { openControl } from '../src/control/openControl.js';
import { describe } from 'vitest';
import { CountingGuest, type CountingGuestOptions } from './countingGuest.js';
import { describeQemu } from './qemuPresent.js';

/** Since when the kernel has asynchronous write protection and PAGEMAP_SCAN, which control by QMP needs. */
const LINUX = { major: 6, minor: 7 };

function kernelIsOld(): boolean {
  const [major = 0, minor = 0] = kernelRelease().split('.').map(Number);
  return major < LINUX.major || (major === LINUX.major && minor < LINUX.minor);
}

/** Tests of one control: skipped, visibly, where the kernel is too old for it; with `CI` they fail instead. */
export function describeControl(kind: ControlKind, title: string, tests: () => void): void {
  if (kind === 'in-process' || process.env['CI'] === 'true' || !kernelIsOld()) {
    describeQemu(title, tests);
    return;
  }
  const why = `control by QMP needs Linux ${LINUX.major}.${LINUX.minor}`;
  process.stderr.write(`${title}: skipped, ${why}\n`);
  describe.skip(`${title} (skipped: ${why})`, tests);
}

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
  try {
    await guest.proves();
    return await protect(guest, kind, logPages);
  } catch (error) {
    await guest[Symbol.asyncDispose]();
    throw error;
  }
}

async function protect(
  guest: CountingGuest,
  kind: ControlKind | 'auto',
  logPages: number,
): Promise<ProtectedGuest> {
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

export async function checkpoints(control: CheckpointControl, count: number): Promise<ControlCheckpoint[]> {
  const cuts: ControlCheckpoint[] = [];
  for (let index = 0; index < count; index++) {
    cuts.push(await control.checkpoint());
    await wait(5);
  }
  return cuts;
}

export function at(cuts: readonly ControlCheckpoint[], index: number): ControlCheckpoint {
  const cut = cuts.at(index);
  if (cut === undefined) throw new Error(`there is no checkpoint ${index}`);
  return cut;
}

export function release(control: CheckpointControl, cuts: readonly ControlCheckpoint[]): void {
  for (const { state, log } of cuts) {
    control.releaseLog(log);
    control.releaseState(state);
  }
}

/** The audit of a rollback that brought everything back. */
export function exactly(cut: ControlCheckpoint): unknown {
  return { ramDigest: cut.audit?.ramDigest, stateDifferences: [] };
}
