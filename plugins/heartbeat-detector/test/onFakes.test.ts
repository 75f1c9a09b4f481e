import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS, DETECTIONS, P_VCPU, type Checkpoint, type Nanoseconds } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { startFakeRig, type FakeRig, type ScriptedAct } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { heartbeatDetector } from '../src/index.js';

const MS = 1e6;
const SLICE_NS = 10 * MS;
type Options = Parameters<typeof heartbeatDetector>[0];
const fixed = { device: 'console', silence: '100ms', beat: 'tick' } as const;

/** A guest that says `tick` at these moments of its time, and whatever else is given. */
async function start(
  beatsMs: readonly number[],
  options: Options = fixed,
  others: readonly ScriptedAct[] = [],
): Promise<FakeRig> {
  const guest = [
    ...beatsMs.map((ms): ScriptedAct => ({ at: `${ms}ms`, does: (os) => os.putOut('console', 'tick') })),
    ...others,
  ];
  return startFakeRig({
    machine: { guest },
    plugins: [checkpoint({ interval: '50ms', retain: 4 }), cowb(), heartbeatDetector(options)],
  });
}

/** When each hang was reported, and since when the guest was suspect, in ms. */
const detected = (rig: FakeRig) =>
  rig
    .events('EVT_ERRORDETECTED')
    .map(({ atNs, suspectSinceNs = NaN }) => [atNs / MS, suspectSinceNs / MS] as const);

const timersOf = (rig: FakeRig) =>
  rig.domain.plugins
    .find(({ name }) => name === '@rmk/heartbeat-detector')
    ?.registered.filter((label) => label === 'timer');

async function rollBack(rig: FakeRig, takenAtMs: number): Promise<Checkpoint> {
  const checkpoints = rig.domain.get(CHECKPOINTS);
  const to = checkpoints.retained.find(({ takenAtNs }) => takenAtNs === takenAtMs * MS);
  if (to === undefined) throw new Error(`no checkpoint of ${takenAtMs} ms is retained`);
  const suspension = await rig.domain.get(P_VCPU).suspend();
  const { reopened } = await checkpoints.rollback(to);
  await rig.domain.get(P_VCPU).resume(suspension);
  return reopened;
}

describe('a guest that stops beating', () => {
  it('is reported once it has been silent for as long as it may, and again after each such time', async () => {
    const rig = await start([20, 40, 60]);
    await rig.advance('159.999999ms');
    expect(detected(rig)).toEqual([]);
    await rig.advance('210ms');
    expect(detected(rig)).toEqual([
      [160, 50],
      [260, 50],
      [360, 50],
    ]);
    expect(rig.events('EVT_ERRORDETECTED')[0]).toMatchObject({
      kind: 'hang',
      cause: 'no beat on console in 100ms of domain time',
      source: '@rmk/heartbeat-detector',
    });
  });

  it('is not reported where it beats at the very last moment', async () => {
    const rig = await start([60, 160]);
    await rig.advance('260.000001ms');
    expect(detected(rig)).toEqual([[260, 150]]);
  });

  it('has a timer for each silence, not for each beat', async () => {
    const rig = await start([20, 40, 60]);
    await rig.advance('70ms');
    expect(timersOf(rig)).toEqual(['timer']);
    await rig.advance('40ms');
    // Since the beat at 20 ms, whatever came after that.
    expect(rig.machine.clock.nextNs).toBe(120 * MS);
    await rig.advance('20ms');
    // It was set for 20 + 100 ms, and then for what remained.
    expect(timersOf(rig)).toEqual(['timer']);
    expect(detected(rig)).toEqual([]);
  });

  it('is accused only of silences since the beat that was read late, and its timer stays one', async () => {
    const rig = await start([60]);
    await rig.advance('60ms');
    rig.domain.clock.after(100 * MS - 1, () => {
      setImmediate(() => rig.machine.emit('output', outputOf(rig, 'tick')));
    });
    await rig.advance('199.999999ms');
    expect(detected(rig)).toEqual([]);
    await rig.advance('1ms');
    expect(detected(rig)).toEqual([[260, 150]]);
    expect(timersOf(rig)).toEqual(['timer']);
  });

  it('is not accused before its first beat, nor for another device or other words', async () => {
    const rig = await start([300], { ...fixed, silence: '50ms' }, [
      { at: '10ms', does: (os) => os.putOut('console', 'tock') },
    ]);
    await rig.advance('349.999999ms');
    expect(detected(rig)).toEqual([]);
    await rig.advance('1ms');
    expect(detected(rig)).toEqual([[350, 290]]);
    const other = await start([20], { ...fixed, device: 'fifo' });
    await other.advance('300ms');
    expect(detected(other)).toEqual([]);
  });

  it('beats in bytes where these are given', async () => {
    const rig = await start([60], { ...fixed, beat: new TextEncoder().encode('ick') });
    await rig.advance('161ms');
    expect(detected(rig)).toEqual([[160, 50]]);
  });

  it('beats in any output where no beat is given', async () => {
    const rig = await start([], { device: 'console', silence: '100ms' }, [
      { at: '70ms', does: (os) => os.putOut('console', 'x') },
    ]);
    await rig.advance('171ms');
    expect(detected(rig)).toEqual([[170, 60]]);
  });
});

function outputOf(rig: FakeRig, text: string) {
  return {
    device: 'console',
    data: new TextEncoder().encode(text),
    position: 0,
    guestNs: rig.machine.guestNs,
    epoch: 0,
  };
}

describe('a guest that ends', () => {
  it.each(['exited', 'gone'] as const)('owes no beat: %s', async (fact) => {
    const rig = await start([20]);
    await rig.advance('60ms');
    if (fact === 'exited') rig.machine.emit('exited', { code: 0 });
    else rig.machine.emit('gone', { reason: 'the process ended' });
    expect(timersOf(rig)).toEqual([]);
    await rig.advance('200ms');
    expect(detected(rig)).toEqual([]);
  });

  it.each([
    ['exited', (rig: FakeRig): void => rig.machine.emit('exited', { code: 0 })],
    ['gone', (rig: FakeRig): void => rig.machine.emit('gone', { reason: 'the process ended' })],
    ['restarted', (rig: FakeRig): void => void rig.domain.get(P_VCPU).restart()],
  ] as const)(
    'owes none where that is read after its silence and before the accusation: %s',
    async (_, ends) => {
      const rig = await start([60]);
      await rig.advance('60ms');
      rig.domain.clock.after(100 * MS - 1, () => void setImmediate(() => ends(rig)));
      await rig.advance('100.5ms');
      expect(detected(rig)).toEqual([]);
      expect(timersOf(rig)).toEqual([]);
    },
  );

  it('and is restarted owes none until it beats again', async () => {
    const rig = await start([20]);
    await rig.advance('60ms');
    await rig.domain.get(P_VCPU).restart();
    expect(timersOf(rig)).toEqual([]);
    await rig.advance('119ms');
    expect(detected(rig)).toEqual([]);
    await rig.advance('2ms');
    expect(detected(rig)).toEqual([[180, 70]]);
  });

  it('and is restarted in the midst of a beat begins that again', async () => {
    const half: ScriptedAct = { at: '50ms', does: (os) => os.putOut('console', 'ti') };
    const rest: ScriptedAct = { at: '10ms', does: (os) => os.putOut('console', 'ck') };
    const rig = await start([], fixed, [half, rest]);
    await rig.advance('50ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('20ms');
    expect(timersOf(rig)).toEqual([]);
  });

  it('and is restarted was healthy then, however soon it beats', async () => {
    const rig = await start([5]);
    await rig.advance('48ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('106ms');
    expect(detected(rig)).toEqual([[153, 48]]);
  });
});

describe('a guest that closes its channel', () => {
  const change = (rig: FakeRig, isOpen: boolean, device = 'console') =>
    rig.domain.bus.topic('EVT_CHANNELCHANGED').publish({ atNs: rig.nowNs, device, isOpen });
  const warnings = (rig: FakeRig) =>
    rig
      .events('EVT_WARNING')
      .flatMap(({ code, message, atNs }) =>
        code === 'RMK_WARN_HEARTBEAT' ? [`${atNs / MS}: ${message}`] : [],
      );

  it('owes no beat until the next one, with a warning', async () => {
    const rig = await start([20, 300]);
    await rig.advance('60ms');
    change(rig, false);
    expect(timersOf(rig)).toEqual([]);
    expect(warnings(rig)).toEqual([
      '60: the guest closed console: its hangs are not detected by heartbeats until it beats again',
    ]);
    await rig.advance('200ms');
    change(rig, true);
    expect(timersOf(rig)).toEqual([]);
    await rig.advance('141ms');
    expect(detected(rig)).toEqual([[400, 290]]);
  });

  it('in the midst of a beat begins that again', async () => {
    const rig = await start([20]);
    await rig.advance('60ms');
    rig.machine.emit('output', outputOf(rig, 'ti'));
    change(rig, false);
    rig.machine.emit('output', outputOf(rig, 'ck'));
    expect(timersOf(rig)).toEqual([]);
  });

  it('owes its beats where it opens it, or closes another device', async () => {
    const rig = await start([20]);
    await rig.advance('60ms');
    change(rig, true);
    change(rig, false, 'fifo');
    await rig.advance('61ms');
    expect(warnings(rig)).toEqual([]);
    expect(detected(rig)).toEqual([[120, 10]]);
  });

  it('says nothing where it has not beaten yet', async () => {
    const rig = await start([]);
    await rig.advance('60ms');
    change(rig, false);
    expect(warnings(rig)).toEqual([]);
  });

  it('is accused where the options say so', async () => {
    const rig = await start([20], { ...fixed, whenClosed: 'accuse' });
    await rig.advance('60ms');
    change(rig, false);
    await rig.advance('61ms');
    expect(warnings(rig)).toEqual([]);
    expect(detected(rig)).toEqual([[120, 10]]);
  });
});

it('a guest that reboots owes no beat until the next one', async () => {
  const rig = await start([20]);
  await rig.advance('60ms');
  rig.domain.bus.topic('EVT_VMREBOOTED').publish({ atNs: rig.nowNs });
  expect(timersOf(rig)).toEqual([]);
  rig.machine.emit('output', outputOf(rig, 'tick'));
  await rig.advance('101ms');
  expect(detected(rig)).toEqual([[160, 60]]);
});

describe('a rollback', () => {
  it('leaves the rule armed where the guest had beaten at the checkpoint; the silence begins again', async () => {
    const rig = await start([20]);
    await rig.advance('115ms');
    await rollBack(rig, 50);
    await rig.advance('99.999999ms');
    expect(detected(rig)).toEqual([]);
    await rig.advance('1ms');
    expect(detected(rig)).toEqual([[215, 115]]);
  });

  it('has the guest healthy at its own time, also where a beat is reported a slice late', async () => {
    const rig = await start([20, 53]);
    await rig.advance('115ms');
    await rollBack(rig, 50);
    await rig.advance('104ms');
    expect(detected(rig)).toEqual([[218, 115]]);
  });

  it('to before the first beat has the guest owe none until it beats', async () => {
    const rig = await start([60]);
    await rig.advance('70ms');
    await rollBack(rig, 50);
    expect(timersOf(rig)).toEqual([]);
    await rig.advance('11ms');
    expect(timersOf(rig)).toEqual(['timer']);
  });

  it('to a checkpoint of before the detector has the guest owe none until it beats', async () => {
    const rig = await startFakeRig({ plugins: [checkpoint({ interval: '50ms', retain: 4 }), cowb()] });
    await rig.advance('10ms');
    await rig.domain.install(heartbeatDetector(fixed));
    rig.machine.emit('output', outputOf(rig, 'tick'));
    expect(timersOf(rig)).toEqual(['timer']);
    await rollBack(rig, 0);
    expect(timersOf(rig)).toEqual([]);
  });

  it('in the midst of a beat goes on from where the guest was', async () => {
    const acts: readonly ScriptedAct[] = [
      { at: '40ms', does: (os) => os.putOut('console', 'ti') },
      { at: '55ms', does: (os) => os.putOut('console', 'ck') },
    ];
    const rig = await start([], fixed, acts);
    await rig.advance('54ms');
    await rollBack(rig, 50);
    await rig.advance('6ms');
    expect(timersOf(rig)).toEqual(['timer']);
  });

  it('to the checkpoint that a rollback reopened is one to where that left the guest', async () => {
    const rig = await start([20]);
    await rig.advance('55ms');
    const { takenAtNs } = await rollBack(rig, 50);
    await rig.advance('10ms');
    await rollBack(rig, takenAtNs / MS);
    await rig.advance('101ms');
    expect(detected(rig)).toEqual([[165, 65]]);
  });
});

describe('the adaptive threshold', () => {
  const RATE = 0.01;
  const adaptive: Options = {
    device: 'console',
    beat: 'tick',
    adaptive: { atLeast: '15ms', atMost: '400ms', falsePositiveRate: RATE },
  };
  /** Beats 15 to 25 ms apart, in no order. */
  const moments = (count: number) =>
    Array.from({ length: count }, (_, index) => 20 * (index + 1) + ((index * 7) % 11) - 5);

  /** The threshold after these silences, by its definition. */
  function thresholdNs(silencesNs: readonly Nanoseconds[]): Nanoseconds {
    const n = silencesNs.length;
    if (n < 100) return 400 * MS;
    const mean = silencesNs.reduce((sum, ns) => sum + ns, 0) / n;
    const variance = silencesNs.reduce((sum, ns) => sum + (ns - mean) ** 2, 0) / (n - 1);
    const exact = mean + Math.sqrt(((1 - RATE) / RATE) * variance) + SLICE_NS;
    return Math.min(400 * MS, Math.max(15 * MS, Math.ceil(exact / 1000) * 1000));
  }
  const silencesOf = (beatsMs: readonly number[]) =>
    beatsMs.slice(1).map((ms, index) => (ms - (beatsMs[index] ?? 0)) * MS);

  it.each([100, 101])(
    'accuses at the very moment that its definition gives, after %d beats',
    async (beats) => {
      const all = moments(beats);
      const rig = await start(all, adaptive);
      const lastMs = all.at(-1) ?? NaN;
      await rig.advance(`${lastMs + 401}ms`);
      const expectedMs = lastMs + thresholdNs(silencesOf(all)) / MS;
      expect(detected(rig)[0]).toEqual([expectedMs, lastMs - 10]);
      expect(expectedMs - lastMs < 100).toBe(beats === 101);
      expect(rig.events('EVT_ERRORDETECTED')[0]?.cause).toBe(
        'no beat on console for longer than its silences allow',
      );
    },
  );

  it('learns no silence that was reported as a hang', async () => {
    const before = moments(101);
    const later = (before.at(-1) ?? NaN) + 200;
    const rig = await start([...before, later], adaptive);
    await rig.advance(`${later + 190}ms`);
    const last = detected(rig).filter(([atMs]) => atMs > later)[0];
    expect(last?.[0]).toBe(later + thresholdNs(silencesOf(before)) / MS);
  });

  it('learns again from a guest that beats after a hang', async () => {
    const before = moments(101);
    const later = [200, 212, 224].map((ms) => (before.at(-1) ?? NaN) + ms);
    const rig = await start([...before, ...later], adaptive);
    const lastMs = later.at(-1) ?? NaN;
    await rig.advance(`${lastMs + 190}ms`);
    const [first] = detected(rig).filter(([atMs]) => atMs > lastMs);
    expect(first?.[0]).toBe(lastMs + thresholdNs([...silencesOf(before), 12 * MS, 12 * MS]) / MS);
  });

  it('forgets at a rollback the silences that are undone, and that which the rollback cuts in two', async () => {
    const all = moments(110);
    const rig = await start(all, adaptive);
    const stopMs = (all.at(-1) ?? NaN) + 8;
    await rig.advance(`${stopMs}ms`);
    const takenMs = Math.floor((stopMs - 50) / 50) * 50;
    await rollBack(rig, takenMs);
    await rig.advance('400ms');
    const known = silencesOf(all.filter((ms) => ms <= takenMs));
    const again = silencesOf(all.filter((ms) => ms > takenMs));
    const lastMs = (all.at(-1) ?? NaN) + stopMs - takenMs;
    expect(detected(rig)[0]?.[0]).toBe(lastMs + thresholdNs([...known, ...again]) / MS);
  });

  it('knows nothing after a restart: another boot may have other silences', async () => {
    const all = moments(110);
    const rig = await start(all, adaptive);
    await rig.advance('2201ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('2600ms');
    const lastMs = 2201 + (all.at(-1) ?? NaN);
    expect(detected(rig)[0]?.[0]).toBe(lastMs + thresholdNs(silencesOf(all)) / MS);
  });

  /** A guest that beats when the test says so: this often, 15 to 25 ms apart. */
  async function beating(beats: number): Promise<FakeRig> {
    const rig = await start([], adaptive);
    for (const ms of moments(beats)) {
      await rig.advance(`${ms * MS - rig.nowNs}ns`);
      rig.machine.emit('output', outputOf(rig, 'tick'));
    }
    return rig;
  }

  it('is the upper bound from a restart on, until enough is observed', async () => {
    const rig = await beating(110);
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('7ms');
    rig.machine.emit('output', outputOf(rig, 'tick'));
    const beatAtMs = rig.nowNs / MS;
    await rig.advance('401ms');
    expect(detected(rig).map(([atMs]) => atMs)).toEqual([beatAtMs + 400]);
  });

  it('is what it was at the checkpoint from a rollback on', async () => {
    const rig = await beating(102);
    const takenMs = Math.floor((rig.nowNs / MS - 51) / 50) * 50;
    await rollBack(rig, takenMs);
    const rolledBackMs = rig.nowNs / MS;
    await rig.advance('401ms');
    expect(detected(rig).map(([atMs]) => atMs)).toEqual([rolledBackMs + 400]);
  });

  it('learns nothing from the time in which the channel was closed', async () => {
    const rig = await beating(101);
    rig.domain.bus.topic('EVT_CHANNELCHANGED').publish({ atNs: rig.nowNs, device: 'console', isOpen: false });
    await rig.advance('300ms');
    rig.machine.emit('output', outputOf(rig, 'tick'));
    const beatAtMs = rig.nowNs / MS;
    await rig.advance('390ms');
    expect(detected(rig)[0]?.[0]).toBe(beatAtMs + thresholdNs(silencesOf(moments(101))) / MS);
  });

  it('is declared by its upper bound and a slice, a fixed silence by itself and a slice', async () => {
    expect((await start([], adaptive)).domain.get(DETECTIONS).all).toContainEqual({
      plugin: '@rmk/heartbeat-detector',
      kind: 'hang',
      boundNs: 410 * MS,
      note: 'adaptive threshold of 15 ms to 400 ms, exceeded by 1 % of healthy silences at most',
    });
    expect((await start([])).domain.get(DETECTIONS).all).toContainEqual({
      plugin: '@rmk/heartbeat-detector',
      kind: 'hang',
      boundNs: 110 * MS,
    });
  });
});
