import { CHECKPOINTS, DETECTIONS, P_VCPU, type Nanoseconds } from '@rmk/core';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { heartbeatDetector } from '../src/index.js';
import { beatingGuest, regularly } from './beatingGuest.js';
import { spin } from './faults.js';

const MS = 1e6;
const SLICE_NS = 10 * MS;
const RATE = 0.01;
const LEARNED_AFTER = 100;

const adaptive = { atLeast: '15ms', atMost: '400ms', falsePositiveRate: RATE } as const;
const detector = () => heartbeatDetector({ device: 'uart', adaptive, beat: 'ann-' });
const detecting = () => [pinVcpu(), pinVmio(), pinVmschl(), detector()];
const protecting = () => [...microcheckpoint({ hang: false }), detector()];
/** Nobody undoes what is detected. */
const checkpointing = () => [...microcheckpoint({ hang: false, recovery: false }), detector()];

/** Between 15 and 25 ms apart, in no order. */
const MOMENTS = regularly(20, 20, 300).map((ms, index) => ms + ((index * 7) % 11) - 5);

/** When the guest said `ann-`: the first piece of each answer. */
function beatsOf(rig: Rig): readonly Nanoseconds[] {
  return rig
    .events('EVT_VMOUTPUT')
    .filter(({ data }) => new TextDecoder().decode(data).includes('ann-'))
    .map(({ atNs }) => atNs);
}

/** The threshold after these silences, by its definition. */
function thresholdNs(silencesNs: readonly Nanoseconds[]): Nanoseconds {
  const n = silencesNs.length;
  if (n < LEARNED_AFTER) return 400 * MS;
  const mean = silencesNs.reduce((sum, ns) => sum + ns, 0) / n;
  const variance = silencesNs.reduce((sum, ns) => sum + (ns - mean) ** 2, 0) / (n - 1);
  const exact = mean + Math.sqrt(((1 - RATE) / RATE) * variance) + SLICE_NS;
  return Math.min(400 * MS, Math.max(15 * MS, Math.ceil(exact / 1000) * 1000));
}

function silencesOf(beatsNs: readonly Nanoseconds[]): readonly Nanoseconds[] {
  return beatsNs.slice(1).map((atNs, index) => atNs - (beatsNs[index] ?? 0));
}

describe('the adaptive heartbeat on a real guest', () => {
  it('declares its upper bound and a slice, and how it decides', async () => {
    const rig = await startRig({ ...beatingGuest([20]), plugins: detecting() });
    expect(rig.domain.get(DETECTIONS).all).toEqual([
      {
        plugin: '@rmk/heartbeat-detector',
        kind: 'hang',
        boundNs: 410 * MS,
        note: 'adaptive threshold of 15 ms to 400 ms, exceeded by 1 % of healthy silences at most',
      },
    ]);
  });

  it.each([
    { stopMs: 1000, learned: 'too little' },
    { stopMs: 3000, learned: 'enough' },
  ])(
    'accuses at the very moment that its definition gives, after it has seen $learned',
    async ({ stopMs }) => {
      const rig = await startRig({ ...beatingGuest(MOMENTS), plugins: detecting() });
      await rig.advance(`${stopMs}ms`);
      expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
      await spin(rig);
      await rig.advance('450ms');
      const beats = beatsOf(rig);
      const lastNs = beats.at(-1) ?? NaN;
      const expectedNs = lastNs + thresholdNs(silencesOf(beats));
      const [accused] = rig.events('EVT_ERRORDETECTED');
      expect(accused).toMatchObject({
        atNs: expectedNs,
        kind: 'hang',
        cause: 'no beat on uart for longer than its silences allow',
        suspectSinceNs: lastNs - SLICE_NS,
      });
      expect(expectedNs - lastNs < 100 * MS).toBe(stopMs === 3000);
    },
  );

  it('finds the hang of a guest that it knows and undoes it: the guest is as if nothing had been', async () => {
    const guest = beatingGuest(MOMENTS);
    const rig = await startRig({ ...guest, plugins: protecting() });
    await rig.advance('3000ms');
    await spin(rig);
    await rig.advance('400ms');
    expect(rig.events('EVT_RECOVERED')).toMatchObject([{ record: { rung: 'target', occurrence: 1 } }]);
    expect(rig.guestState).toEqual(await goldenRun(guest, rig.machine.guestNs));
  });

  it('forgets at a rollback the silences that are undone, and that which the rollback cuts in two', async () => {
    const rig = await startRig({ ...beatingGuest(MOMENTS), plugins: checkpointing() });
    await rig.advance('3030ms');
    await rig.rollBack(2700 * MS);
    const rolledBackNs = rig.nowNs;
    await rig.advance('500ms');
    await spin(rig);
    await rig.advance('400ms');
    const beats = beatsOf(rig);
    const before = silencesOf(beats.filter((atNs) => atNs <= 2700 * MS));
    const after = beats.filter((atNs) => atNs > rolledBackNs);
    const expectedNs = (after.at(-1) ?? NaN) + thresholdNs([...before, ...silencesOf(after)]);
    expect(rig.events('EVT_ERRORDETECTED')[0]?.atNs).toBe(expectedNs);
  });

  it('counts from a rollback when the guest is silent after it, with what it knew at the checkpoint', async () => {
    const rig = await startRig({ ...beatingGuest(MOMENTS), plugins: checkpointing() });
    await rig.advance('3030ms');
    await rig.rollBack(2700 * MS);
    const rolledBackNs = rig.nowNs;
    await spin(rig);
    await rig.advance('200ms');
    const known = silencesOf(beatsOf(rig).filter((atNs) => atNs <= 2700 * MS));
    expect(rig.events('EVT_ERRORDETECTED')[0]?.atNs).toBe(rolledBackNs + thresholdNs(known));
  });

  it('knows nothing after a restart: another boot may have other silences', async () => {
    const rig = await startRig({ ...beatingGuest(MOMENTS), plugins: detecting() });
    await rig.advance('3000ms');
    await rig.domain.get(P_VCPU).restart();
    const restartedNs = rig.nowNs;
    await rig.advance('300ms');
    await spin(rig);
    await rig.advance('450ms');
    const beats = beatsOf(rig).filter((atNs) => atNs > restartedNs);
    expect(rig.events('EVT_ERRORDETECTED')[0]?.atNs).toBe((beats.at(-1) ?? NaN) + 400 * MS);
  });

  it('owes no beat once it has ended, and knows the same as before where that is undone', async () => {
    const quit = { at: '3010ms', data: new TextEncoder().encode('a2 quit\n') } as const;
    const { machine } = beatingGuest(MOMENTS.filter((ms) => ms < 3000));
    const rig = await startRig({
      guest: 'server',
      machine: { input: [...machine.input, quit] },
      plugins: checkpointing(),
    });
    expect(await rig.runToEnd()).toBe(0);
    const { registered } = rig.domain.plugins.find(({ name }) => name === '@rmk/heartbeat-detector') ?? {};
    expect(registered).not.toContain('timer');
    const [, to] = rig.domain.get(CHECKPOINTS).retained;
    await rig.rollBack(to?.takenAtNs ?? NaN);
    const rolledBackNs = rig.nowNs;
    await spin(rig);
    await rig.advance('200ms');
    const known = silencesOf(beatsOf(rig).filter((atNs) => atNs <= (to?.takenAtNs ?? NaN)));
    expect(rig.events('EVT_ERRORDETECTED')[0]?.atNs).toBe(rolledBackNs + thresholdNs(known));
  });

  it('does not learn from a silence that it reported: one hang that ended by itself changes nothing', async () => {
    const late = [...MOMENTS.filter((ms) => ms < 3000), 3200, 3210];
    const rig = await startRig({ ...beatingGuest(late), plugins: detecting() });
    await rig.advance('3500ms');
    const beats = beatsOf(rig);
    const silences = silencesOf(beats);
    const longest = silences.indexOf(Math.max(...silences));
    const firstNs = (beats[longest] ?? NaN) + thresholdNs(silences.slice(0, longest));
    const [first, ...others] = rig.events('EVT_ERRORDETECTED').map(({ atNs }) => atNs);
    expect(first).toBe(firstNs);
    const lastNs = beats.at(-1) ?? NaN;
    const healthy = silences.toSpliced(longest, 1);
    expect(others.find((atNs) => atNs > lastNs)).toBe(lastNs + thresholdNs(healthy));
  });

  it('learns from a longer silence that it did not report', async () => {
    const thresholdMs = thresholdNs(silencesOf(MOMENTS.filter((ms) => ms < 3000).map((ms) => ms * MS))) / MS;
    const before = MOMENTS.filter((ms) => ms < 3000);
    const late = [...before, Math.floor((before.at(-1) ?? NaN) + thresholdMs - 12)];
    const rig = await startRig({ ...beatingGuest(late), plugins: detecting() });
    await rig.advance('3500ms');
    const beats = beatsOf(rig);
    const silences = silencesOf(beats);
    expect(silences.at(-1)).toBe(Math.max(...silences));
    const [first] = rig.events('EVT_ERRORDETECTED').map(({ atNs }) => atNs);
    expect(first).toBe((beats.at(-1) ?? NaN) + thresholdNs(silences));
  });
});
