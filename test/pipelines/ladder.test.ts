import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  definePlugin,
  P_PTABLE,
  P_VCPU,
  type Bus,
  type Clock,
  type Module,
  type PageTablePin,
  type RecoveryRecord,
} from '@rmk/core';
import { BOOT_FILE_ADDRESS } from '@rmk/guests';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { crash, hang } from './faults.js';
import { compressor, goldenEnd } from './guests.js';
import { crashingGuest } from './tinyGuest.js';

const MS = 1e6;
const INTERVAL_NS = 50 * MS;
const ILLEGAL_INSTRUCTION = Uint8Array.of(0, 0, 0, 0);

/** Far behind the file, where the guest never looks. */
const AUDITED = BOOT_FILE_ADDRESS + 0x30_0000;

const TOO_YOUNG =
  'the guest is suspect since 120 ms, and the oldest retained checkpoint was taken at 150 ms. ' +
  'Retain more checkpoints, or take them less often.';
const NO_OLDER = 'the same failure again, and no retained checkpoint is older than the one used before';
const AFTER_RESTART = 'the same failure again, after a restart';
const RESTART_DID_NOT_HELP = 'a restart did not help: the same failure came again';

function records(rig: Rig): readonly RecoveryRecord[] {
  return rig.events('EVT_RECOVERED').map(({ record }) => record);
}

/** What a recovery came to, with the age of its checkpoint in milliseconds. */
function brief({ rung, occurrence, checkpoint, attempts }: RecoveryRecord) {
  const tried = attempts.map(({ rung: one, failure }) =>
    failure === undefined ? one : `${one}: ${failure}`,
  );
  const takenAtMs = checkpoint === undefined ? undefined : checkpoint.takenAtNs / MS;
  return { rung, occurrence, takenAtMs, tried };
}

/** No rollback and no restart but those that are on record, each under its own name. */
function expectHonest(rig: Rig): void {
  const restarts = records(rig).filter(({ rung }) => rung === 'restart').length;
  expect(rig.events('EVT_VMRESTARTED')).toHaveLength(restarts);
  expect(rig.events('EVT_ROLLEDBACK')).toHaveLength(records(rig).length - restarts);
}

describe('the ladder, with four checkpoints retained', () => {
  const plugins = (options: MicrocheckpointOptions = {}) =>
    microcheckpoint({ retain: 4, hang: false, ...options });

  it('goes from the target to older checkpoints for an error that is in the newer ones', async () => {
    const golden = await goldenEnd(compressor);
    const lastNs = Math.floor(golden.guestNs / INTERVAL_NS) * INTERVAL_NS;
    const rig = await startRig({ ...compressor, plugins: plugins() });
    // The damaged code is reached at the very end only: two checkpoints hold it by then.
    await rig.advance(`${lastNs - 3 * INTERVAL_NS + 7 * MS}ns`);
    await damageExit(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(golden);
    expect(records(rig).map(({ rung, occurrence }) => ({ rung, occurrence }))).toEqual([
      { rung: 'target', occurrence: 1 },
      { rung: 'older', occurrence: 2 },
      { rung: 'older', occurrence: 3 },
    ]);
    expect(records(rig).map(({ checkpoint }) => checkpoint?.takenAtNs)).toEqual(
      [1, 2, 3].map((steps) => lastNs - steps * INTERVAL_NS),
    );
    const lostNs = records(rig).reduce((sum, { workLostNs = 0 }) => sum + workLostNs, 0);
    expect(rig.nowNs - golden.guestNs).toBe(lostNs);
    expectHonest(rig);
  });

  it('restarts for an error that is in all of them, and the guest does its job from the beginning', async () => {
    const golden = await goldenEnd(compressor);
    const lastNs = Math.floor(golden.guestNs / INTERVAL_NS) * INTERVAL_NS;
    const rig = await startRig({ ...compressor, plugins: plugins() });
    await rig.advance(`${lastNs - 4 * INTERVAL_NS + 7 * MS}ns`);
    await damageExit(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(golden);
    expect(records(rig).map(({ rung, occurrence }) => ({ rung, occurrence }))).toEqual([
      { rung: 'target', occurrence: 1 },
      { rung: 'older', occurrence: 2 },
      { rung: 'older', occurrence: 3 },
      { rung: 'restart', occurrence: 4 },
    ]);
    const restart = records(rig).at(-1);
    expect(restart?.attempts).toEqual([{ rung: 'target', failure: NO_OLDER }, { rung: 'restart' }]);
    expect(restart).not.toHaveProperty('checkpoint');
    expect(restart).not.toHaveProperty('workLostNs');
    expect(restart).not.toHaveProperty('outputStruckBytes');
    // From the restart on the guest takes as long as it does undisturbed.
    expect(rig.nowNs - (restart?.trigger.atNs ?? 0)).toBe(golden.guestNs);
    expectHonest(rig);
  });

  it('gives up where errors are injected again and again, so that the guest never comes further', async () => {
    const rig = await startRig({ ...compressor, plugins: plugins() });
    rig.domain.bus.on('EVT_RECOVERED', () => crash(rig));
    await rig.advance('275.137ms');
    await crash(rig);
    await rig.runToEnd();
    expect(records(rig).map(brief)).toEqual([
      { rung: 'target', occurrence: 1, takenAtMs: 200, tried: ['target'] },
      { rung: 'target', occurrence: 1, takenAtMs: 150, tried: ['target'] },
      { rung: 'target', occurrence: 1, takenAtMs: 100, tried: ['target'] },
      { rung: 'restart', occurrence: 2, takenAtMs: undefined, tried: [`target: ${NO_OLDER}`, 'restart'] },
    ]);
    const [failed] = rig.events('EVT_RECOVERYFAILED');
    expect(failed).toMatchObject({
      reason: RESTART_DID_NOT_HELP,
      trigger: { kind: 'crash', detector: '@rmk/pin-vmsignal', atNs: failed?.atNs },
      attempts: [
        { rung: 'target', failure: AFTER_RESTART },
        { rung: 'restart', failure: RESTART_DID_NOT_HELP },
      ],
    });
    expectHonest(rig);
    await expectGivenUp(rig);
  });
});

describe('a guest whose own code crashes', () => {
  const plugins = (options: MicrocheckpointOptions = {}) =>
    microcheckpoint({
      interval: '1ms',
      retain: 4,
      hang: false,
      signals: { latencyBound: { bound: '1ms', quantile: 0.95 } },
      ...options,
    });

  it('is given up after one restart where it crashes before the ring has filled', async () => {
    const rig = await startRig({ ...crashingGuest(2.5), plugins: plugins() });
    await rig.runToEnd();
    expect(records(rig).map(({ rung, occurrence }) => ({ rung, occurrence }))).toEqual([
      { rung: 'target', occurrence: 1 },
      { rung: 'older', occurrence: 2 },
      { rung: 'restart', occurrence: 3 },
    ]);
    expect(rig.events('EVT_RECOVERYFAILED').map(({ reason }) => reason)).toEqual([RESTART_DID_NOT_HELP]);
    expectHonest(rig);
    await expectGivenUp(rig);
  });

  it.each([
    { maxRestarts: 0, restarts: 0, reason: '0 restarts within 10min are as many as maxRestarts allows' },
    { maxRestarts: 1, restarts: 1, reason: RESTART_DID_NOT_HELP },
    { maxRestarts: 3, restarts: 1, reason: RESTART_DID_NOT_HELP },
  ])(
    'is given up after $restarts restarts with maxRestarts $maxRestarts, though the ring has filled',
    async (given) => {
      const { maxRestarts, restarts, reason } = given;
      const rig = await startRig({ ...crashingGuest(11.5), plugins: plugins({ recovery: { maxRestarts } }) });
      await rig.runToEnd();
      const rollbacks = [
        { rung: 'target', occurrence: 1 },
        { rung: 'older', occurrence: 2 },
        { rung: 'older', occurrence: 3 },
      ];
      const restart = restarts === 0 ? [] : [{ rung: 'restart', occurrence: 4 }];
      expect(records(rig).map(({ rung, occurrence }) => ({ rung, occurrence }))).toEqual([
        ...rollbacks,
        ...restart,
      ]);
      expect(rig.events('EVT_RECOVERYFAILED').map((failed) => failed.reason)).toEqual([reason]);
      expectHonest(rig);
      await expectGivenUp(rig);
    },
  );

  it('is protected again once it was given up and someone restarts it', async () => {
    const rig = await startRig({ ...crashingGuest(2.5), plugins: plugins() });
    await rig.runToEnd();
    const before = records(rig).length;
    const vcpu = rig.domain.get(P_VCPU);
    await vcpu.restart();
    await rig.advance('2.6ms');
    expect(
      records(rig)
        .slice(before)
        .map(({ rung, occurrence }) => ({ rung, occurrence })),
    ).toEqual([{ rung: 'target', occurrence: 1 }]);
  });
});

describe('the ladder, with two checkpoints retained', () => {
  it('gives the only checkpoint a chance for a hang, restarts when that is in vain, says why, and had been warned of', async () => {
    const golden = await goldenEnd(compressor);
    const rig = await startRig({ ...compressor, plugins: microcheckpoint({ retain: 2 }) });
    expect(rig.events('EVT_WARNING')).toMatchObject([{ atNs: 0, code: 'RMK_WARN_HISTORY' }]);
    await rig.advance('275.137ms');
    await hang(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(golden);
    expect(records(rig).map(({ rung, occurrence }) => [rung, occurrence])).toEqual([
      ['only', 1],
      ['restart', 2],
    ]);
    const [only, record] = records(rig);
    expect(only?.attempts).toEqual([
      { rung: 'target', failure: expect.stringContaining('the guest is suspect since') },
      { rung: 'only', takenAtNs: only?.checkpoint?.takenAtNs },
    ]);
    expect(record?.attempts).toEqual([{ rung: 'target', failure: NO_OLDER }, { rung: 'restart' }]);
    expect(rig.nowNs - (record?.trigger.atNs ?? 0)).toBe(golden.guestNs);
    expectHonest(rig);
  });
});

/** Looks at a word of the guest's memory now and then, and cannot tell since when it has been wrong. */
@injectable()
class Audit implements Module {
  private expected: Uint8Array | undefined;

  constructor(
    @inject(P_PTABLE) private readonly pageTable: PageTablePin,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  async start(): Promise<void> {
    this.expected = await this.pageTable.read(AUDITED, 4);
    this.clock.every(120 * MS, async () => {
      const found = await this.pageTable.read(AUDITED, 4);
      if (Buffer.compare(found, this.expected ?? found) === 0) return;
      const detected = { atNs: this.clock.now(), kind: 'corruption', cause: 'a word has changed' };
      this.bus.topic('EVT_ERRORDETECTED').publish(detected);
    });
  }
}

const audit = definePlugin({
  name: 'rmk-plugin-audit',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_PTABLE],
  modules: [Audit],
  detects: () => [{ kind: 'corruption', boundNs: 120 * MS }],
});

describe('the ladder, with a detector that takes longer than the ring reaches back', () => {
  it('knows the same failure again, though the ring has refilled, and restarts', async () => {
    const golden = await goldenEnd(compressor);
    const plugins = [...microcheckpoint({ retain: 2, hang: false }), audit()];
    const rig = await startRig({ ...compressor, plugins });
    await rig.advance('130ms');
    await rig.domain.get(P_PTABLE).write(AUDITED, Uint8Array.of(1));
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(golden);
    expect(records(rig).map(brief)).toEqual([
      { rung: 'only', occurrence: 1, takenAtMs: 150, tried: [`target: ${TOO_YOUNG}`, 'only'] },
      { rung: 'restart', occurrence: 2, takenAtMs: undefined, tried: [`target: ${NO_OLDER}`, 'restart'] },
    ]);
    expectHonest(rig);
  });
});

/** Code that is only run when the guest is done. */
async function damageExit(rig: Rig): Promise<void> {
  await rig.domain.get(P_PTABLE).write(Number(rig.symbol('exit')), ILLEGAL_INSTRUCTION);
}

async function expectGivenUp(rig: Rig): Promise<void> {
  const stoodAtNs = rig.nowNs;
  await rig.advance('10ms');
  expect(rig.nowNs).toBe(stoodAtNs);
  expect(rig.machine.isRunnable).toBe(false);
}
