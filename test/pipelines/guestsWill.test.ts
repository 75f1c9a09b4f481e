import { CHECKPOINTS } from '@rmk/core';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startFakeRig, type FakeMachineOptions, type FakeRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';

const MS = 1e6;

/** Beats each 10 ms, and then no more. */
const beatingUntil = (silentFromMs: number): FakeMachineOptions => ({
  guest: Array.from({ length: silentFromMs / 10 - 1 }, (_, beat) => ({
    at: `${(beat + 1) * 10}ms` as const,
    does: (guest) => guest.putOut('console', '.'),
  })),
});

async function start(
  machine: FakeMachineOptions = {},
  options: { readonly reboot?: 'allow' | 'crash'; readonly whenClosed?: 'wait' | 'accuse' } = {},
): Promise<FakeRig> {
  const { reboot = 'allow', whenClosed = 'wait' } = options;
  return startFakeRig({
    machine,
    plugins: [
      ...microcheckpoint({ hang: false, signals: { reboot, latencyBound: false } }),
      heartbeatDetector({ device: 'console', silence: '50ms', whenClosed }),
    ],
  });
}

describe('a guest that reboots', () => {
  it('is let through: its checkpoints go, and the first of its new life is taken at once', async () => {
    const rig = await start();
    await rig.advance('220ms');
    expect(rig.domain.get(CHECKPOINTS).retained.length).toBeGreaterThan(2);
    rig.machine.emit('rebooted', {});
    await rig.advance('1ms');
    expect(rig.domain.get(CHECKPOINTS).retained).toMatchObject([{ origin: 'first', takenAtNs: 220 * MS }]);
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([
      { reason: 'the guest reboots', endsProtection: false },
    ]);
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    await rig.advance('100ms');
    rig.machine.emit('signal', { cause: 'panic', privilege: 'kernel' });
    await rig.advance('1ms');
    expect(rig.events('EVT_RECOVERED')).toMatchObject([{ record: { rung: 'target', occurrence: 1 } }]);
  });

  it('does not come to the same failure again as before', async () => {
    const rig = await start();
    const panic = async (): Promise<void> => {
      await rig.advance('120ms');
      rig.machine.emit('signal', { cause: 'panic', privilege: 'kernel' });
      await rig.advance('1ms');
    };
    await panic();
    rig.machine.emit('rebooted', {});
    // Sooner after the reboot than the first came after the start.
    await panic();
    expect(rig.events('EVT_RECOVERED').map(({ record }) => [record.rung, record.occurrence])).toEqual([
      ['target', 1],
      ['target', 1],
    ]);
  });

  it('owes no beat before it beats again', async () => {
    const rig = await start(beatingUntil(100));
    await rig.advance('95ms');
    rig.machine.emit('rebooted', {});
    await rig.advance('500ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('is rolled back where a reboot counts as a crash', async () => {
    const rig = await start({}, { reboot: 'crash' });
    await rig.advance('220ms');
    rig.machine.emit('rebooted', {});
    await rig.advance('1ms');
    expect(rig.events('EVT_VMREBOOTED')).toEqual([]);
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ kind: 'crash', cause: 'reboot by the guest' }]);
    expect(rig.events('EVT_RECOVERED')).toMatchObject([{ record: { rung: 'target' } }]);
  });
});

describe('a guest that closes the channel on which it beats', () => {
  const close = (rig: FakeRig): void => rig.machine.emit('channel', { device: 'console', isOpen: false });

  it('is not accused of its silence, and the user is warned once', async () => {
    const rig = await start(beatingUntil(100));
    await rig.advance('100ms');
    close(rig);
    await rig.advance('500ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    expect(rig.events('EVT_WARNING')).toMatchObject([{ atNs: 100 * MS, code: 'RMK_WARN_HEARTBEAT' }]);
  });

  it('is watched again from its next beat on', async () => {
    const rig = await start(beatingUntil(200));
    await rig.advance('55ms');
    close(rig);
    await rig.advance('200ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ kind: 'hang', atNs: 240 * MS }]);
  });

  it('is accused where the options say so', async () => {
    const rig = await start(beatingUntil(100), { whenClosed: 'accuse' });
    await rig.advance('95ms');
    close(rig);
    await rig.advance('60ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ kind: 'hang', atNs: 140 * MS }]);
  });

  it('is watched on where it closes another channel, or has not beaten yet', async () => {
    const rig = await start(beatingUntil(100));
    close(rig);
    await rig.advance('50ms');
    rig.machine.emit('channel', { device: 'other', isOpen: false });
    await rig.advance('100ms');
    expect(rig.events('EVT_WARNING').filter(({ code }) => code === 'RMK_WARN_HEARTBEAT')).toEqual([]);
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ kind: 'hang', atNs: 140 * MS }]);
  });
});
