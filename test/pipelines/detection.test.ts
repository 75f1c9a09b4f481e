import type { RecoveryRecord } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type GuestState, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { crash, failureExit, halt, hang, taskLoop } from './faults.js';
import { compressor, goldenAt, goldenEnd, tasks } from './guests.js';

const MS = 1e6;
const INTERVAL_NS = 50 * MS;
const SLICE_NS = 10 * MS;
/** Neither at a checkpoint nor at the end of a slice, and with the ring filled. */
const MOMENT = '275.137ms';

const ALGORITHMS = [
  { algorithm: 'COWB', plugin: cowb },
  { algorithm: 'COWP', plugin: cowp },
  { algorithm: 'COWP with clusters', plugin: () => cowp({ clusterPages: 8 }) },
];

const CRASHES = [
  { fault: 'a crash', inject: crash, cause: 'instruction-access-fault in machine mode' },
  { fault: 'a failure exit', inject: failureExit, cause: 'exit-failure in machine mode' },
];

const HANGS = [
  { fault: 'a hang with interrupts off', inject: hang },
  { fault: 'a halt that nothing ends', inject: halt },
];

/**
 * The one recovery there was. The guest is in a state of the golden run; the domain time that passed without bringing
 * it further is exactly the work lost.
 */
async function theRecovery(rig: Rig, golden: GuestState): Promise<RecoveryRecord> {
  expect(rig.guestState).toEqual(golden);
  const records = rig.events('EVT_RECOVERED').map(({ record }) => record);
  expect(records, rig.timeline()).toHaveLength(1);
  const [record] = records as [RecoveryRecord];
  expect(rig.nowNs - golden.guestNs).toBe(record.workLostNs);
  return record;
}

describe.each(ALGORITHMS)('under $algorithm', ({ plugin }) => {
  const plugins = () => microcheckpoint({ algorithm: plugin() });

  it.each(CRASHES)('$fault is seen at once and undone', async ({ inject, cause }) => {
    const rig = await startRig({ ...compressor, plugins: plugins() });
    await rig.advance(MOMENT);
    await inject(rig);
    expect(await rig.runToEnd()).toBe(0);
    const record = await theRecovery(rig, await goldenEnd(compressor));
    const { kind, detector, suspectSinceNs } = record.trigger;
    expect({ kind, cause: record.trigger.cause, detector, suspectSinceNs }).toEqual({
      kind: 'crash',
      cause,
      detector: '@rmk/pin-vmsignal',
      suspectSinceNs: undefined,
    });
    expect(record.trigger.atNs - 275.137 * MS).toBeLessThan(1000);
    expectTarget(record, 4 * INTERVAL_NS);
  });

  it.each(HANGS)('$fault is seen after 200 ms and undone', async ({ inject }) => {
    const rig = await startRig({ ...compressor, plugins: plugins() });
    await rig.advance(MOMENT);
    await inject(rig);
    expect(await rig.runToEnd()).toBe(0);
    const record = await theRecovery(rig, await goldenEnd(compressor));
    expectHang(record, 275.137 * MS);
    expectTarget(record, 5 * INTERVAL_NS);
  });

  it('a task that loops with the timer masked is seen after 200 ms and undone', async () => {
    const rig = await startRig({ ...tasks, plugins: plugins() });
    await rig.advance(MOMENT);
    await taskLoop(rig);
    const injectedAtNs = rig.nowNs;
    await rig.advance('300ms');
    const record = await theRecovery(rig, await goldenAt(tasks, rig.machine.guestNs));
    expectHang(record, injectedAtNs);
    expectTarget(record, Math.floor(injectedAtNs / INTERVAL_NS) * INTERVAL_NS);
  });
});

/**
 * The last sign comes with the guests' tick of 1 ms; the detector reports at the end of the first slice beyond 200 ms.
 */
function expectHang({ trigger }: RecoveryRecord, injectedAtNs: number): void {
  const { kind, detector, suspectSinceNs = Number.NaN } = trigger;
  expect({ kind, detector }).toEqual({ kind: 'hang', detector: '@rmk/hang-detector' });
  expect(suspectSinceNs).toBeLessThanOrEqual(injectedAtNs);
  expect(suspectSinceNs).toBeGreaterThan(injectedAtNs - MS);
  expect(trigger.atNs).toBe(Math.floor((suspectSinceNs + 200 * MS) / SLICE_NS + 1) * SLICE_NS);
}

function expectTarget(
  { trigger, rung, attempts, occurrence, checkpoint, workLostNs }: RecoveryRecord,
  takenAtNs: number,
) {
  const ageNs = trigger.atNs - takenAtNs;
  expect({ rung, attempts, occurrence, checkpoint, workLostNs }).toEqual({
    rung: 'target',
    attempts: [{ rung: 'target', takenAtNs }],
    occurrence: 1,
    checkpoint: { takenAtNs, ageNs, origin: 'interval' },
    workLostNs: ageNs,
  });
}
