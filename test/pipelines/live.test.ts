import { CHECKPOINTS, type Checkpoints, type Domain } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { hangDetector } from '@rmk/hang-detector';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { crash, hang } from './faults.js';
import { compressor, goldenEnd } from './guests.js';

const MS = 1e6;

function reach({ retained, retain }: Checkpoints) {
  return { retain, retained: retained.length };
}

/** Does something to the domain at a moment of its own time, while the guest runs. */
function at(domain: Domain, atNs: number, act: () => Promise<void>): void {
  domain.clock.after(atNs - domain.clock.now(), act);
}

describe('under a running guest', () => {
  it('COWP takes the place of COWB without a gap in protection', async () => {
    const rig = await startRig({ ...compressor, plugins: microcheckpoint({ algorithm: 'cowb' }) });
    const { domain } = rig;
    at(domain, 130 * MS, () => domain.install(cowp()));
    at(domain, 170 * MS, () => domain.remove('@rmk/cowb'));
    await rig.advance('275.137ms');
    await crash(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));

    const checkpointed = rig.events('EVT_CHECKPOINTED').slice(0, 6);
    expect(checkpointed.map(({ atNs, algorithm }) => [atNs / MS, algorithm])).toEqual([
      [0, '@rmk/cowb'],
      [50, '@rmk/cowb'],
      [100, '@rmk/cowb'],
      [150, '@rmk/cowp'],
      [200, '@rmk/cowp'],
      [250, '@rmk/cowp'],
    ]);
    // COWP knows from COWB's last epoch which pages to save ahead.
    const preSaved = checkpointed.map(({ closed }) => closed?.pagesPreSaved);
    expect(preSaved.slice(0, 4)).toEqual([undefined, 0, 0, 0]);
    expect(preSaved[4]).toBe(checkpointed[3]?.closed?.updated.length);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    expect(rig.events('EVT_CHECKPOINTLOST')).toEqual([]);
    expect(rig.events('EVT_RECOVERED').map(({ record }) => record.checkpoint?.takenAtNs)).toEqual([200 * MS]);
  });

  it('the algorithm before rules again when the latest is removed', async () => {
    const rig = await startRig({
      ...compressor,
      plugins: [...microcheckpoint({ algorithm: 'cowb' }), cowp()],
    });
    await rig.advance('75ms');
    await rig.domain.remove('@rmk/cowp');
    await rig.advance('50ms');
    expect(rig.events('EVT_CHECKPOINTED').map(({ algorithm }) => algorithm)).toEqual([
      '@rmk/cowp',
      '@rmk/cowp',
      '@rmk/cowb',
    ]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
  });

  it('protection ends with the last algorithm, and begins again with the next', async () => {
    const rig = await startRig({ ...compressor, plugins: microcheckpoint({ algorithm: 'cowb' }) });
    await rig.advance('75ms');
    await rig.domain.remove('@rmk/cowb');
    await rig.advance('100ms');
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([
      { atNs: 75 * MS, reason: 'no checkpoint algorithm is installed any more' },
    ]);
    expect(rig.domain.get(CHECKPOINTS).retained).toEqual([]);
    await rig.domain.install(cowb());
    await rig.advance('1ms');
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 175 * MS, lostForNs: 100 * MS }]);
    await rig.advance('89ms');
    await crash(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
    expect(rig.events('EVT_RECOVERED').map(({ record }) => record.checkpoint?.takenAtNs)).toEqual([175 * MS]);
  });

  it('the history follows the detectors: shorter without the one for hangs, longer with it', async () => {
    const rig = await startRig({ ...compressor, plugins: microcheckpoint() });
    const checkpoints = rig.domain.get(CHECKPOINTS);
    await rig.advance('301ms');
    expect(reach(checkpoints)).toEqual({ retain: 6, retained: 6 });
    await rig.domain.remove('@rmk/hang-detector');
    expect(checkpoints.retain).toBe(2);
    await rig.advance('50ms');
    expect(reach(checkpoints)).toEqual({ retain: 2, retained: 2 });
    await rig.domain.install(hangDetector());
    await rig.advance('250ms');
    expect(reach(checkpoints)).toEqual({ retain: 6, retained: 6 });
    await hang(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
    expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);
  });

  it('a hang goes unnoticed without the detector, and by one that comes too late to have seen the guest alive', async () => {
    const rig = await startRig({ ...compressor, plugins: microcheckpoint({ hang: false, retain: 8 }) });
    await rig.advance('100ms');
    await rig.domain.install(hangDetector());
    await rig.advance('175.137ms');
    await rig.domain.remove('@rmk/hang-detector');
    await hang(rig);
    await rig.advance('500ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    // The rule arms itself at the first sign of progress, and this guest gives none any more.
    await rig.domain.install(hangDetector());
    await rig.advance('500ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('pins, agent and recovery cannot be pulled out from under what needs them', async () => {
    const rig = await startRig({ ...compressor, plugins: microcheckpoint() });
    await rig.advance('60ms');
    await expect(rig.domain.remove('@rmk/pin-ptable')).rejects.toMatchObject({
      code: 'RMK_ERR_REQUIRED',
      plugin: '@rmk/pin-ptable',
      problems: [
        { path: '', message: '@rmk/checkpoint requires CHECKPOINTING of @rmk/pin-ptable' },
        { path: '', message: '@rmk/cowp requires CHECKPOINTS of @rmk/checkpoint' },
        { path: '', message: '@rmk/recovery requires CHECKPOINTS of @rmk/checkpoint' },
      ],
    });
    await rig.domain.remove('@rmk/pin-ptable', { dependants: 'remove' });
    expect(rig.domain.plugins.map(({ name }) => name)).toEqual([
      '@rmk/pin-vcpu',
      '@rmk/pin-vmsignal',
      '@rmk/pin-vmschl',
      '@rmk/pin-vmio',
      '@rmk/protection-watch',
      '@rmk/hang-detector',
      '@rmk/restart-watch',
    ]);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(await goldenEnd(compressor));
  });
});
