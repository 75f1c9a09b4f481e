import type { Duration } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { crash } from './faults.js';
import { compressor, goldenEnd } from './guests.js';
import { FailingOperations, interposed } from './failingOperations.js';

const MS = 1e6;

async function start(
  quarantineAfterFaults = 8,
  restartAfter: Duration = '2s',
): Promise<{ readonly rig: Rig; readonly interposition: FailingOperations }> {
  const interposition = new FailingOperations();
  const plugins = interposed(microcheckpoint(), interposition);
  const supervision = { quarantineAfterFaults, restartAfter };
  const rig = await startRig({ ...compressor, plugins, supervision, faults: 'expected', leaks: 'expected' });
  return { rig, interposition };
}

/** The recoveries: rung, and the age of the state that they led to. */
function recoveries(rig: Rig) {
  return rig.events('EVT_RECOVERED').map(({ record: { rung, checkpoint } }) => ({
    rung,
    takenAtMs: checkpoint === undefined ? undefined : checkpoint.takenAtNs / MS,
  }));
}

/** The first time. */
function crashedAtNs(rig: Rig): number {
  return rig.events('EVT_ERRORDETECTED')[0]?.atNs ?? Number.NaN;
}

async function expectGoldenEnd(rig: Rig): Promise<void> {
  expect(await rig.runToEnd()).toBe(0);
  expect(rig.guestState, rig.timeline()).toEqual(await goldenEnd(compressor));
  expect(rig.events('EVT_RECOVERYFAILED')).toEqual([]);
}

describe.each(['before', 'after'] as const)('a checkpoint that fails %s the driver takes it', (moment) => {
  it('costs protection until the next one, and nothing else', async () => {
    const { rig, interposition } = await start();
    await rig.advance('140ms');
    interposition.fail('checkpoint', moment);
    await expectGoldenEnd(rig);
    expect(rig.nowNs).toBe((await goldenEnd(compressor)).guestNs);
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([{ atNs: 150 * MS, checkpoints: 3 }]);
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([
      { atNs: 150 * MS, reason: `a checkpoint failed: checkpoint fails ${moment} the driver does it` },
    ]);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 200 * MS, lostForNs: 50 * MS }]);
    expect(
      rig
        .events('EVT_CHECKPOINTED')
        .map(({ checkpoint }) => checkpoint.origin)
        .slice(0, 5),
    ).toEqual(['first', 'interval', 'interval', 'first', 'interval']);
    expect(rig.events('EVT_PLUGINFAULT')).toMatchObject([{ plugin: '@rmk/checkpoint', during: 'timer' }]);
  });

  it('costs a crash in the meantime a restart', async () => {
    const { rig, interposition } = await start();
    await rig.advance('140ms');
    interposition.fail('checkpoint', moment);
    await rig.advance('30ms');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig)).toEqual([{ rung: 'restart', takenAtMs: undefined }]);
    expect(rig.events('EVT_RECOVERED')[0]?.record.attempts).toEqual([
      { rung: 'target', failure: 'no checkpoint is retained' },
      { rung: 'restart' },
    ]);
    const [restored] = rig.events('EVT_PROTECTIONRESTORED');
    expect(restored).toMatchObject({ atNs: crashedAtNs(rig), lostForNs: crashedAtNs(rig) - 150 * MS });
  });

  it('costs a later crash nothing', async () => {
    const { rig, interposition } = await start();
    await rig.advance('140ms');
    interposition.fail('checkpoint', moment);
    await rig.advance('135ms');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig)).toEqual([{ rung: 'target', takenAtMs: 200 }]);
  });

  it('does not stop the guest where every one fails, and the agent is quarantined', async () => {
    const { rig, interposition } = await start(3);
    await rig.advance('140ms');
    interposition.fail('checkpoint', moment, Infinity);
    await expectGoldenEnd(rig);
    expect(rig.events('EVT_PLUGINQUARANTINED')).toMatchObject([
      { plugin: '@rmk/checkpoint', atNs: 250 * MS },
    ]);
    expect(rig.nowNs).toBe((await goldenEnd(compressor)).guestNs);
    expect(rig.events('EVT_PROTECTIONLOST')).toHaveLength(1);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toEqual([]);
  });
});

describe('an agent that is quarantined', () => {
  /** Three checkpoints fail, at 150, 200 and 250 ms; the agent is started again 100 ms later. */
  async function quarantinedAgent(): Promise<Rig> {
    const { rig, interposition } = await start(3, '100ms');
    await rig.advance('140ms');
    interposition.fail('checkpoint', 'before', 3);
    await rig.advance('160ms');
    return rig;
  }

  function stateOf(rig: Rig, plugin: string) {
    return rig.domain.plugins.find(({ name }) => name === plugin)?.state;
  }

  it('is started again, takes a first checkpoint, and protection is restored', async () => {
    const rig = await quarantinedAgent();
    expect(stateOf(rig, '@rmk/checkpoint')).toBe('quarantined');
    expect(stateOf(rig, '@rmk/recovery')).toBe('active');
    await rig.advance('51ms');
    expect(rig.domain.plugins.map(({ state }) => state)).toEqual(rig.domain.plugins.map(() => 'active'));
    await rig.advance('149ms');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(rig.events('EVT_PLUGINQUARANTINED')).toMatchObject([
      { plugin: '@rmk/checkpoint', atNs: 250 * MS },
    ]);
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 150 * MS }]);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 350 * MS, lostForNs: 200 * MS }]);
    const [first] = rig.events('EVT_CHECKPOINTED').filter(({ atNs }) => atNs >= 350 * MS);
    expect(first).toMatchObject({ atNs: 350 * MS, checkpoint: { origin: 'first' } });
    expect(recoveries(rig)).toEqual([{ rung: 'target', takenAtMs: 450 }]);
  });

  it('costs a crash in the meantime a restart of the VM, and protection is restored all the same', async () => {
    const rig = await quarantinedAgent();
    await crash(rig);
    await rig.advance('200ms');
    expect(recoveries(rig)).toEqual([{ rung: 'restart', takenAtMs: undefined }]);
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig).map(({ rung }) => rung)).toEqual(['restart', 'target']);
  });
});

describe('a rollback that fails', () => {
  it('before the driver does it: the next checkpoint of the ladder is used', async () => {
    const { rig, interposition } = await start();
    await rig.advance('275ms');
    interposition.fail('rollback', 'before');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig)).toEqual([{ rung: 'older', takenAtMs: 150 }]);
    expect(rig.events('EVT_RECOVERED')[0]?.record.attempts).toEqual([
      { rung: 'target', takenAtNs: 200 * MS, failure: 'rollback fails before the driver does it' },
      { rung: 'older', takenAtNs: 150 * MS },
    ]);
  });

  it('after the driver has done it: the ring and the driver are apart, so the VM is restarted', async () => {
    const { rig, interposition } = await start();
    await rig.advance('275ms');
    interposition.fail('rollback', 'after');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig)).toEqual([{ rung: 'restart', takenAtMs: undefined }]);
    const attempts = rig.events('EVT_RECOVERED')[0]?.record.attempts ?? [];
    expect(attempts.map(({ rung }) => rung)).toEqual([
      'target',
      'older',
      'older',
      'older',
      'older',
      'restart',
    ]);
    expect(attempts.slice(1, -1).every(({ failure }) => failure?.startsWith('RMK_ERR_RELEASED'))).toBe(true);
  });

  it('every time: the VM is restarted, and protected again', async () => {
    const { rig, interposition } = await start();
    await rig.advance('275ms');
    interposition.fail('rollback', 'before', 5);
    await crash(rig);
    // By then the first checkpoint after the restart is not retained any more.
    await rig.advance('325ms');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig)).toEqual([
      { rung: 'restart', takenAtMs: undefined },
      { rung: 'target', takenAtMs: (crashedAtNs(rig) + 250 * MS) / MS },
    ]);
  });
});

describe('an error long after a restart', () => {
  it('is a new one, though protection has only just begun again', async () => {
    const { rig, interposition } = await start();
    await rig.advance('20ms');
    interposition.fail('rollback', 'before');
    await crash(rig);
    await rig.advance('200ms');
    interposition.fail('checkpoint', 'before');
    await rig.advance('110ms');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(recoveries(rig).map(({ rung }) => rung)).toEqual(['restart', 'target']);
    expect(rig.events('EVT_RECOVERED').map(({ record }) => record.occurrence)).toEqual([1, 1]);
  });
});
