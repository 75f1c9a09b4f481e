import { CHECKPOINTS, DETECTIONS, P_VCPU, type Duration } from '@rmk/core';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig, type RigGuest } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heartbeatDetector } from '../src/index.js';
import { beatingGuest, firstSilence, regularly } from './beatingGuest.js';
import { halt, hang, spin } from './faults.js';
import { cases } from '../../../test/long.js';

const MS = 1e6;
const SLICE_NS = 10 * MS;

const every20ms = (count: number) => beatingGuest(regularly(20, 20, count));

/** Detects, and nobody undoes it. */
const detecting = (silence: Duration, beat?: string | Uint8Array) => [
  pinVcpu(),
  pinVmio(),
  pinVmschl(),
  heartbeatDetector({ device: 'uart', silence, ...(beat === undefined ? {} : { beat }) }),
];

const protecting = (silence: Duration) => [
  ...microcheckpoint({ hang: false }),
  heartbeatDetector({ device: 'uart', silence }),
];

async function advanceNs(rig: Rig, ns: number): Promise<void> {
  await rig.advance(`${ns}ns`);
}

const beatsOf = (rig: Rig) => rig.events('EVT_VMOUTPUT').map(({ atNs }) => atNs);

describe('the heartbeat rule', () => {
  it('accuses a guest at the moment at which it has been silent for as long as it may, and no other', async () => {
    const gaps = fc.array(fc.integer({ min: 2, max: 130 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(gaps, async (gapsMs) => {
        let lastMs = 0;
        const moments = gapsMs.map((gapMs) => (lastMs += gapMs));
        const rig = await startRig({ ...beatingGuest(moments), plugins: detecting('100ms') });
        await rig.advance(`${lastMs + 90}ms`);
        const expected = firstSilence(beatsOf(rig), 100 * MS, rig.nowNs);
        const [accused] = rig.events('EVT_ERRORDETECTED');
        if (expected === undefined) {
          expect(accused).toBeUndefined();
        } else {
          expect(accused).toMatchObject({
            atNs: expected.overAtNs,
            kind: 'hang',
            source: '@rmk/heartbeat-detector',
            suspectSinceNs: Math.max(0, expected.sinceNs - SLICE_NS),
          });
        }
        await rig.stop();
      }),
      { numRuns: cases(10, 200) },
    );
  });

  it.each([0.5, 0.9, 0.99])('never accuses for silences of %d of what is allowed', async (part) => {
    const guest = beatingGuest(regularly(20, 100 * part, 200));
    const rig = await startRig({ ...guest, plugins: detecting('100ms') });
    await rig.advance(`${Math.round(200 * 100 * part)}ms`);
    // An answer may leave in two pieces; each of the two hundred has left.
    expect(rig.output.match(/ ok /g)).toHaveLength(200);
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('accuses every guest that falls silent, within its bound, and the guest is as if nothing had been', async () => {
    const guest = every20ms(60);
    const faults = fc.constantFrom(spin, hang, halt);
    await fc.assert(
      fc.asyncProperty(faults, fc.integer({ min: 150 * MS, max: 900 * MS }), async (fault, atNs) => {
        const rig = await startRig({ ...guest, plugins: protecting('100ms') });
        const { longestBoundNs } = rig.domain.get(DETECTIONS);
        expect(longestBoundNs).toBe(100 * MS + SLICE_NS);
        await advanceNs(rig, atNs - (atNs % 10));
        const hitAtNs = rig.nowNs;
        await fault(rig);
        await rig.advance('200ms');
        const [accused] = rig.events('EVT_ERRORDETECTED');
        expect((accused?.atNs ?? Infinity) - hitAtNs).toBeLessThanOrEqual(longestBoundNs);
        expect(accused?.suspectSinceNs).toBeLessThanOrEqual(hitAtNs);
        expect(rig.events('EVT_RECOVERED')).toMatchObject([{ record: { rung: 'target', occurrence: 1 } }]);
        expect(rig.guestState).toEqual(await goldenRun(guest, rig.machine.guestNs));
        await rig.stop();
      }),
      { numRuns: cases(3, 60) },
    );
  });

  it('sees what signs of progress do not show: a guest that spins while its timer ticks on', async () => {
    const guest = every20ms(60);
    const withSigns = microcheckpoint({ hang: { threshold: '30ms' } });
    const plugins = [...withSigns, heartbeatDetector({ device: 'uart', silence: '100ms' })];
    const rig = await startRig({ ...guest, plugins });
    await rig.advance('310ms');
    await spin(rig);
    await rig.advance('150ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ source: '@rmk/heartbeat-detector' }]);
    expect(rig.guestState).toEqual(await goldenRun(guest, rig.machine.guestNs));
  });

  it('counts idle time: a heart beats at rest too', async () => {
    const rig = await startRig({ ...beatingGuest([20]), plugins: detecting('100ms') });
    await rig.advance('200ms');
    const [beatAtNs = 0] = beatsOf(rig).slice(-1);
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([
      { atNs: beatAtNs + 100 * MS, cause: 'no beat on uart in 100ms of domain time' },
    ]);
  });

  it('reports a silence that nobody ends once each time it is over', async () => {
    const rig = await startRig({ ...beatingGuest([20]), plugins: detecting('100ms') });
    await rig.advance('500ms');
    const [beatAtNs = 0] = beatsOf(rig).slice(-1);
    const detected = rig.events('EVT_ERRORDETECTED');
    expect(detected.map(({ atNs }) => atNs - beatAtNs)).toEqual([100 * MS, 200 * MS, 300 * MS, 400 * MS]);
    expect(new Set(detected.map(({ suspectSinceNs }) => suspectSinceNs)).size).toBe(1);
  });

  it('keeps one timer, however many beats there are', async () => {
    const rig = await startRig({ ...every20ms(60), plugins: detecting('100ms') });
    const timers = () =>
      rig.domain.plugins.flatMap(({ registered }) => registered).filter((label) => label === 'timer');
    for (let ms = 0; ms < 1000; ms += 10) {
      await rig.advance('10ms');
      expect(timers()).toHaveLength(1);
    }
  });
});

describe('a rollback', () => {
  it('leaves the rule armed, and the silence starts again', async () => {
    const rig = await startRig({ ...every20ms(60), plugins: protecting('100ms') });
    await rig.advance('230ms');
    await rig.rollBack(150 * MS);
    await spin(rig);
    await rig.advance('100ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    await rig.advance('1ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ atNs: 330 * MS, suspectSinceNs: 230 * MS }]);
  });

  it('to before the first beat leaves it waiting for that again', async () => {
    const guest = beatingGuest(regularly(120, 20, 30));
    const plugins = [
      ...microcheckpoint({ hang: false, retain: 6 }),
      heartbeatDetector({ device: 'uart', silence: '30ms', beat: 'ann-' }),
    ];
    const rig = await startRig({ ...guest, plugins });
    await rig.advance('165ms');
    await rig.rollBack(50 * MS);
    await rig.advance('200ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    await spin(rig);
    await rig.advance('40ms');
    expect(rig.events('EVT_ERRORDETECTED')).toHaveLength(1);
  });

  it('to before the detector was installed leaves it waiting for a beat', async () => {
    const guest = beatingGuest([20, 40, 130, 150]);
    const rig = await startRig({ ...guest, plugins: microcheckpoint({ hang: false, retain: 6 }) });
    await rig.advance('110ms');
    await rig.domain.install(heartbeatDetector({ device: 'uart', silence: '60ms' }));
    await rig.advance('60ms');
    await rig.rollBack(50 * MS);
    await rig.advance('75ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('that undoes the end of a guest makes it owe its beats again', async () => {
    const quit = { at: '210ms', data: new TextEncoder().encode('a2 quit\n') } as const;
    const machine = { input: [...beatingGuest(regularly(20, 20, 9)).machine.input, quit] };
    const rig = await startRig({ guest: 'server', machine, plugins: protecting('100ms') });
    expect(await rig.runToEnd()).toBe(0);
    await rig.rollBack(150 * MS);
    await spin(rig);
    const rolledBackAtNs = rig.nowNs;
    await rig.advance('101ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ atNs: rolledBackAtNs + 100 * MS }]);
    expect(await rig.runToEnd()).toBe(0);
  });

  it('in the midst of a beat does not lose it', async () => {
    const heard = heartbeatDetector({ device: 'fifo', silence: '70ms', beat: 'beat' });
    const rig = await startRig({ guest: 'server', plugins: [...microcheckpoint({ hang: false }), heard] });
    await rig.advance('10ms');
    const put = (text: string) =>
      rig.domain.bus.topic('EVT_VMOUTPUT').publish({
        atNs: rig.nowNs,
        device: 'fifo',
        data: new TextEncoder().encode(text),
        position: 0,
        guestNs: rig.machine.guestNs,
        epoch: 0,
      });
    put('beat be');
    await rig.domain.get(CHECKPOINTS).take();
    await rig.advance('30ms');
    put('xx');
    await rig.rollBack(10 * MS);
    await rig.advance('60ms');
    put('at');
    await rig.advance('60ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });
});

it('hears the beats that a slow process has not read yet before it accuses', async () => {
  const rig = await startRig({ ...beatingGuest([20]), plugins: detecting('100ms') });
  await rig.advance('60ms');
  const [beatAtNs = 0] = beatsOf(rig).slice(-1);
  const output = rig.domain.bus.topic('EVT_VMOUTPUT');
  rig.domain.clock.after(beatAtNs + 100 * MS - rig.nowNs - 10, () => {
    setImmediate(() => {
      const atNs = rig.nowNs;
      const data = Uint8Array.of(0x2e);
      output.publish({ atNs, device: 'uart', data, position: 0, guestNs: atNs, epoch: 0 });
    });
  });
  await rig.advance('130ms');
  expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  await rig.advance('50ms');
  expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ atNs: beatAtNs + 200 * MS }]);
});

describe('what counts as a beat', () => {
  const ann = beatingGuest(regularly(20, 20, 5), 'ann');
  const bob = beatingGuest(regularly(30, 20, 40), 'bob');
  const both: RigGuest = {
    guest: 'server',
    machine: { input: [...ann.machine.input, ...bob.machine.input] },
  };

  it.each(['ann-', new TextEncoder().encode('ann-')])('is what the option says: %s', async (beat) => {
    const rig = await startRig({ ...both, plugins: detecting('100ms', beat) });
    await rig.advance('250ms');
    expect(rig.events('EVT_ERRORDETECTED')).toMatchObject([{ atNs: expect.closeTo(200 * MS, -7) }]);
  });

  it('is any output of the device without it', async () => {
    const rig = await startRig({ ...both, plugins: detecting('100ms') });
    await rig.advance('800ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('is nothing that another device puts out', async () => {
    const plugins = [pinVmio(), pinVmschl(), heartbeatDetector({ device: 'heartbeat', silence: '50ms' })];
    const rig = await startRig({ ...both, plugins });
    await rig.advance('300ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });
});

describe('a guest that is not accused', () => {
  it('has not beaten yet', async () => {
    const rig = await startRig({ ...beatingGuest([700]), plugins: detecting('50ms', 'ann-') });
    await rig.advance('700ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('has ended', async () => {
    const quit = { at: '60ms', data: new TextEncoder().encode('a2 quit\n') } as const;
    const machine = { input: [...beatingGuest([20]).machine.input, quit] };
    const rig = await startRig({ guest: 'server', machine, plugins: detecting('100ms') });
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.domain.plugins.flatMap(({ registered }) => registered)).not.toContain('timer');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('is gone', async () => {
    const rig = await startRig({ ...beatingGuest([20]), plugins: detecting('100ms') });
    await rig.advance('60ms');
    rig.domain.bus.topic('EVT_VMGONE').publish({ atNs: rig.nowNs, reason: 'the process ended' });
    await rig.advance('500ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('was suspended: its clock stops', async () => {
    const rig = await startRig({ ...every20ms(30), plugins: detecting('25ms') });
    await rig.advance('110ms');
    const suspension = await rig.domain.get(P_VCPU).suspend();
    await rig.advance('500ms');
    await rig.domain.get(P_VCPU).resume(suspension);
    await rig.advance('110ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it('was restarted, until it beats again', async () => {
    const rig = await startRig({ ...beatingGuest([20, 300]), plugins: detecting('100ms', 'ann-') });
    await rig.advance('60ms');
    await rig.domain.get(P_VCPU).restart();
    await advanceNs(rig, 15 * MS);
    expect(rig.domain.plugins.flatMap(({ registered }) => registered)).not.toContain('timer');
    await rig.advance('80ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    await rig.advance('100ms');
    expect(rig.events('EVT_ERRORDETECTED')).toHaveLength(1);
  });
});
