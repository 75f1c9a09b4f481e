import { PAGE_BYTES, P_PTABLE, type Checkpointed, type RecoveryRecord } from '@rmk/core';
import { BOOT_FILE_ADDRESS } from '@rmk/guests';
import { EmbeddedContext, EmbeddedPageLog, RAM_BASE } from '@rmk/hypervisor-embedded';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { guestStateOf, startRig, type GuestState, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { compressor, goldenAt } from './guests.js';
import { FailingOperations, interposed } from './failingOperations.js';

const MS = 1e6;
/** A page of the file, which the guest only reads: it is in a log when the test writes to it, and never else. */
const FRAME = (BOOT_FILE_ADDRESS - RAM_BASE) / PAGE_BYTES + 5;
const BIT = 1234;

/** The epochs of the retained checkpoints, by when they opened. The error is suspected since just after the target. */
const EPOCHS = { older: 100, target: 150, middle: 200, newest: 250 } as const;
type Epoch = keyof typeof EPOCHS;
const SUSPECT_SINCE_NS = 160 * MS;

interface Outcome {
  readonly record: RecoveryRecord;
  readonly restored: GuestState;
}

/** Writes the page in some epochs, damages what was saved of it in one, or contexts, and reports an error. */
async function recoverWith(damage: {
  readonly written?: readonly Epoch[];
  readonly log?: Epoch;
  readonly contexts?: readonly Epoch[];
}): Promise<Outcome> {
  const { written = [], log, contexts = [] } = damage;
  const interposition = new FailingOperations();
  const plugins = interposed(microcheckpoint({ algorithm: 'cowb', retain: 4, hang: false }), interposition);
  const rig = await startRig({ ...compressor, plugins });
  await rig.advance('100ms');
  for (const epoch of Object.keys(EPOCHS) as Epoch[]) {
    await rig.advance('10ms');
    if (written.includes(epoch)) await touch(rig);
    await rig.advance('40ms');
  }
  const keptAt = (epoch: Epoch): Checkpointed => {
    const kept = interposition.kept.find(({ atNs }) => atNs === EPOCHS[epoch] * MS);
    if (kept === undefined) throw new Error(`no checkpoint was taken at ${EPOCHS[epoch]} ms`);
    return kept;
  };
  if (log !== undefined) await damageLog(keptAt(log));
  for (const epoch of contexts) await damageContext(keptAt(epoch));

  const restored: GuestState[] = [];
  rig.domain.bus.on('EVT_RECOVERED', () => void restored.push(guestStateOf(rig.machine)));
  rig.domain.bus.topic('EVT_ERRORDETECTED').publish({
    atNs: rig.nowNs,
    kind: 'test',
    cause: 'damage',
    suspectSinceNs: SUSPECT_SINCE_NS,
  });
  await rig.advance('0ms');
  const [recovered] = rig.events('EVT_RECOVERED');
  const [state] = restored;
  if (recovered === undefined || state === undefined) throw new Error(`no recovery:\n${rig.timeline()}`);
  return { record: recovered.record, restored: state };
}

/** A write that changes nothing, but is one. */
async function touch({ domain }: Rig): Promise<void> {
  const pageTable = domain.get(P_PTABLE);
  const address = RAM_BASE + FRAME * PAGE_BYTES;
  await pageTable.write(address, await pageTable.read(address, 1));
}

async function damageLog({ log }: Checkpointed): Promise<void> {
  if (!(log instanceof EmbeddedPageLog)) throw new Error('not a log of the embedded hypervisor');
  log.damage(FRAME, BIT);
  expect(await log.verify()).toEqual(Uint32Array.of(FRAME));
}

async function damageContext({ context }: Checkpointed): Promise<void> {
  if (!(context instanceof EmbeddedContext)) throw new Error('not a context of the embedded hypervisor');
  context.damage(BIT);
  expect(await context.verify()).toBe(false);
}

function tried({ attempts }: RecoveryRecord): readonly string[] {
  return attempts.map(({ rung, takenAtNs, failure }) => {
    const what = takenAtNs === undefined ? rung : `${rung} of ${takenAtNs / MS}`;
    return failure === undefined ? what : `${what}: ${failure.slice(0, failure.indexOf(':'))}`;
  });
}

const damaged = (candidate: string) => `${candidate}: RMK_ERR_LOGDAMAGED`;
const TARGET = 'target of 150';
const OLDER = 'older of 100';
const MIDDLE = 'newer of 200';
const NEWEST = 'newer of 250';

describe('a damaged page log', () => {
  it.each([
    // The oldest entry within the rollback is what counts.
    { log: 'newest', written: ['target', 'newest'], attempts: [TARGET] },
    { log: 'newest', written: ['middle', 'newest'], attempts: [TARGET] },
    { log: 'middle', written: ['target', 'middle'], attempts: [TARGET] },
    { log: 'middle', written: ['target', 'middle', 'newest'], attempts: [TARGET] },
    // Going further back takes in an older entry.
    { log: 'newest', written: ['older', 'newest'], attempts: [damaged(TARGET), OLDER] },
    { log: 'middle', written: ['older', 'middle'], attempts: [damaged(TARGET), OLDER] },
    { log: 'target', written: ['older', 'target'], attempts: [damaged(TARGET), OLDER] },
    { log: 'target', written: ['older', 'target', 'newest'], attempts: [damaged(TARGET), OLDER] },
    // A newer checkpoint does without the damaged log, the nearest first.
    { log: 'target', written: ['target'], attempts: [damaged(TARGET), damaged(OLDER), MIDDLE] },
    { log: 'target', written: ['target', 'newest'], attempts: [damaged(TARGET), damaged(OLDER), MIDDLE] },
    {
      log: 'middle',
      written: ['middle'],
      attempts: [damaged(TARGET), damaged(OLDER), damaged(MIDDLE), NEWEST],
    },
    {
      log: 'middle',
      written: ['middle', 'newest'],
      attempts: [damaged(TARGET), damaged(OLDER), damaged(MIDDLE), NEWEST],
    },
    // Every rollback needs the newest log.
    {
      log: 'newest',
      written: ['newest'],
      attempts: [damaged(TARGET), damaged(OLDER), damaged(MIDDLE), damaged(NEWEST), 'restart'],
    },
  ] as const)(
    'of the $log epoch, the page written in $written: $attempts',
    async ({ log, written, attempts }) => {
      const { record, restored } = await recoverWith({ log, written });
      expect(tried(record)).toEqual(attempts);
      await expectRestored({ record, restored });
    },
  );
});

describe('a damaged context', () => {
  it.each([
    { contexts: ['newest', 'middle'], attempts: [TARGET] },
    { contexts: ['target'], attempts: [damaged(TARGET), OLDER] },
    { contexts: ['target', 'older'], attempts: [damaged(TARGET), damaged(OLDER), MIDDLE] },
    {
      contexts: ['target', 'older', 'middle', 'newest'],
      attempts: [damaged(TARGET), damaged(OLDER), damaged(MIDDLE), damaged(NEWEST), 'restart'],
    },
  ] as const)('of $contexts: $attempts', async ({ contexts, attempts }) => {
    const { record, restored } = await recoverWith({ contexts });
    expect(tried(record)).toEqual(attempts);
    await expectRestored({ record, restored });
  });
});

/** The record says what was used, and the guest is in exactly the state that it had at that time. */
async function expectRestored({ record, restored }: Outcome): Promise<void> {
  const last = record.attempts.at(-1);
  expect(record.rung).toBe(last?.rung);
  expect(record.checkpoint?.takenAtNs).toBe(last?.takenAtNs);
  expect(restored.guestNs).toBe(last?.takenAtNs ?? 0);
  expect(restored).toEqual(await goldenAt(compressor, restored.guestNs));
}
