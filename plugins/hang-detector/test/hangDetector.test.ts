import { DETECTIONS, type Checkpoint, type Rollback, type RmkEvent, type RmkEvents } from '@rmk/core';
import { startRig, type Rig } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hangDetector } from '../src/index.js';
import { GuestLife, type Span } from './guestLife.js';
import { scriptedScheduling, SLICE_NS } from './scriptedScheduling.js';

const MS = 1e6;
const THRESHOLD_NS = 200 * MS;
const SIGNED: Span = { does: 'busy', forNs: 3 * MS, sign: 'timer-rearmed' };

type Detected = RmkEvent<'EVT_ERRORDETECTED'>;
type Scheduled = RmkEvents['EVT_VMSCHEDULED'];

/** A domain whose guest is paused: the test reports what the hypervisor would. */
class Stage {
  readonly detected: Detected[] = [];

  private constructor(readonly rig: Rig) {
    rig.domain.bus.on('EVT_ERRORDETECTED', (event) => void this.detected.push(event));
  }

  static async set(options?: Parameters<typeof hangDetector>[0]): Promise<Stage> {
    return new Stage(
      await startRig({ guest: 'tasks', plugins: [scriptedScheduling(), hangDetector(options)] }),
    );
  }

  /** A fresh detector, which has seen nothing. */
  async again(): Promise<void> {
    await this.rig.domain.remove('@rmk/hang-detector');
    await this.rig.domain.install(hangDetector());
    this.detected.length = 0;
  }

  /** Publishes a life slice by slice, as far as the first accusation; gives it, if there was one. */
  live(life: GuestLife): Detected | undefined {
    for (const slice of life.slices()) {
      this.publish(slice);
      if (this.detected.length > 0) break;
    }
    return this.detected[0];
  }

  publish(scheduled: Scheduled): void {
    this.rig.domain.bus.topic('EVT_VMSCHEDULED').publish(scheduled);
  }

  /** Slices of a guest that computes, from `fromMs` on, the first one ending with a sign where one is given. */
  busy(fromMs: number, toMs: number, signAtMs?: number): void {
    for (let endMs = fromMs + 10; endMs <= toMs; endMs += 10) {
      const isSigned = signAtMs !== undefined && signAtMs > endMs - 10 && signAtMs <= endMs;
      this.publish({
        atNs: endMs * MS,
        cpuNs: SLICE_NS,
        idleNs: 0,
        haltedNs: 0,
        state: 'ran',
        progress: isSigned ? [{ sign: 'heartbeat', atNs: signAtMs * MS }] : [],
      });
    }
  }
}

const span = (does: fc.Arbitrary<Span['does']>, longestMs: number): fc.Arbitrary<Span> =>
  fc.record({ does, forNs: fc.integer({ min: 1, max: longestMs * 100 }).map((units) => units * 10_000) });

/** A re-armed timer has its own rule. */
const sign = fc.constantFrom('context-switch', 'heartbeat');

/** Ends a third of the spans with a sign. */
function signedAtTimes(one: fc.Arbitrary<Span>): fc.Arbitrary<Span> {
  return fc.oneof({ weight: 2, arbitrary: one }, { weight: 1, arbitrary: signed(one) });
}

function signed(one: fc.Arbitrary<Span>): fc.Arbitrary<Span> {
  return fc.tuple(one, sign).map(([unsigned, given]) => ({ ...unsigned, sign: given }));
}

/** Any life at all. */
const anyLife = fc
  .array(signedAtTimes(span(fc.constantFrom('busy', 'idle', 'halted'), 120)), { minLength: 1, maxLength: 20 })
  .map((spans) => new GuestLife(spans));

/** A healthy guest: no silence takes longer than `part` of the threshold, idle time not counted. */
function lifeWithSilencesUpTo(part: number): fc.Arbitrary<GuestLife> {
  const silence = fc
    .tuple(
      fc.array(span(fc.constantFrom('busy', 'halted'), 80), { minLength: 1, maxLength: 4 }),
      fc.array(span(fc.constant('idle'), 40), { maxLength: 4 }),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([working, idle, whole, idleFirst]): readonly Span[] => {
      const totalNs = working.reduce((sum, { forNs }) => sum + forNs, 0);
      const mostNs = part * THRESHOLD_NS;
      const scale = whole || totalNs > mostNs ? mostNs / totalNs : 1;
      const scaled = working.map((one) => ({ ...one, forNs: Math.floor(one.forNs * scale) }));
      const mixed = idleFirst ? [...idle, ...scaled] : interleaved(scaled, idle);
      const last = mixed.at(-1);
      return last === undefined ? [] : [...mixed.slice(0, -1), { ...last, sign: 'context-switch' }];
    });
  return fc.array(silence, { minLength: 2, maxLength: 6 }).map((silences) => new GuestLife(silences.flat()));
}

function interleaved(first: readonly Span[], second: readonly Span[]): readonly Span[] {
  const length = Math.max(first.length, second.length);
  return Array.from({ length }, (_, index) => [first[index] ?? [], second[index] ?? []].flat()).flat();
}

describe('the hang rule', () => {
  it('accuses only a guest that was silent for longer than the threshold, and names when it was last healthy', async () => {
    const stage = await Stage.set();
    await fc.assert(
      fc.asyncProperty(anyLife, async (life) => {
        await stage.again();
        const accused = stage.live(life);
        if (accused === undefined) return;
        expect(life.silenceNs(accused.atNs)).toBeGreaterThan(THRESHOLD_NS);
        expect(accused.suspectSinceNs).toBe(life.lastHealthyNs(accused.atNs));
        expect(accused).toMatchObject({ kind: 'hang', source: '@rmk/hang-detector' });
      }),
    );
  });

  it('accuses every guest that is silent for longer than its bound', async () => {
    const stage = await Stage.set();
    const { longestBoundNs } = stage.rig.domain.get(DETECTIONS);
    expect(longestBoundNs).toBe(THRESHOLD_NS + 1.5 * SLICE_NS);
    await fc.assert(
      fc.asyncProperty(anyLife, async (life) => {
        await stage.again();
        const accusedAtNs = stage.live(life)?.atNs ?? Infinity;
        for (const { atNs } of life.slices()) {
          if (atNs >= accusedAtNs) return;
          expect(life.silenceNs(atNs) ?? 0).toBeLessThanOrEqual(longestBoundNs - SLICE_NS);
        }
      }),
    );
  });

  it('is exact where the guest is never idle: at the end of the first slice beyond the threshold', async () => {
    const stage = await Stage.set();
    const life = fc
      .array(signedAtTimes(span(fc.constantFrom('busy', 'halted'), 120)), { minLength: 1, maxLength: 15 })
      .map((spans) => new GuestLife(spans));
    await fc.assert(
      fc.asyncProperty(life, async (one) => {
        await stage.again();
        const expected = one.slices().find(({ atNs }) => (one.silenceNs(atNs) ?? 0) > THRESHOLD_NS);
        expect(stage.live(one)?.atNs).toBe(expected?.atNs);
      }),
    );
  });

  it.each([0.5, 0.9, 0.99, 1])('never accuses for silences of up to %d of the threshold', async (part) => {
    const stage = await Stage.set();
    await fc.assert(
      fc.asyncProperty(lifeWithSilencesUpTo(part), async (life) => {
        await stage.again();
        expect(stage.live(life)).toBeUndefined();
      }),
    );
  });

  it('never accuses a guest that has given no sign yet, nor one that is idle', async () => {
    const stage = await Stage.set();
    expect(stage.live(new GuestLife([{ does: 'busy', forNs: 2000 * MS }]))).toBeUndefined();
    await stage.again();
    expect(stage.live(new GuestLife([SIGNED, { does: 'idle', forNs: 5000 * MS }]))).toBeUndefined();
  });

  it('accuses a guest that is halted', async () => {
    const stage = await Stage.set();
    const accused = stage.live(new GuestLife([SIGNED, { does: 'halted', forNs: 500 * MS }]));
    expect(accused).toMatchObject({ atNs: 210 * MS, suspectSinceNs: 3 * MS });
  });

  it('suspects a guest that hangs after it was idle of no more than the time since', async () => {
    const stage = await Stage.set();
    const life = new GuestLife([
      SIGNED,
      { does: 'idle', forNs: 996 * MS },
      { does: 'busy', forNs: 500 * MS },
    ]);
    expect(stage.live(life)).toMatchObject({ atNs: 1200 * MS, suspectSinceNs: 990 * MS });
  });

  it('reports what it missed and for how long', async () => {
    const stage = await Stage.set({ threshold: '50ms', signs: ['heartbeat', 'context-switch'] });
    stage.busy(0, 100, 4);
    expect(stage.detected).toMatchObject([
      {
        atNs: 60 * MS,
        suspectSinceNs: 4 * MS,
        cause: 'no sign of progress (heartbeat, context-switch)',
      },
    ]);
  });

  it('goes by the signs that it was given only', async () => {
    const stage = await Stage.set({ signs: ['context-switch'] });
    stage.busy(0, 500, 4);
    expect(stage.detected).toEqual([]);
  });

  it('reports a hang that nobody undoes once a threshold', async () => {
    const stage = await Stage.set();
    stage.busy(0, 1000, 5);
    expect(stage.detected.map(({ atNs }) => atNs / MS)).toEqual([210, 420, 630, 840]);
    expect(new Set(stage.detected.map(({ suspectSinceNs }) => suspectSinceNs))).toEqual(new Set([5 * MS]));
  });

  it('starts again after a rollback: silent from then on, armed as before', async () => {
    const stage = await Stage.set();
    stage.busy(0, 150, 5);
    rolledBack(stage, 150);
    stage.busy(150, 350);
    expect(stage.detected).toEqual([]);
    stage.busy(350, 360);
    expect(stage.detected).toMatchObject([{ atNs: 360 * MS, suspectSinceNs: 150 * MS }]);
  });

  it('does not hold a stretch that began before a rollback against the guest', async () => {
    const stage = await Stage.set({ threshold: '12ms' });
    stage.busy(0, 10, 5);
    rolledBack(stage, 18);
    stage.busy(10, 30);
    expect(stage.detected).toEqual([]);
    stage.busy(30, 40);
    expect(stage.detected).toMatchObject([{ atNs: 40 * MS, suspectSinceNs: 18 * MS }]);
  });

  it('stays unarmed after a rollback where it was', async () => {
    const stage = await Stage.set();
    rolledBack(stage, 0);
    stage.busy(0, 500);
    expect(stage.detected).toEqual([]);
  });

  it('waits for the first sign again after a restart', async () => {
    const stage = await Stage.set();
    stage.busy(0, 150, 5);
    stage.rig.domain.bus.topic('EVT_VMRESTARTED').publish({ atNs: 150 * MS });
    stage.busy(150, 1000);
    expect(stage.detected).toEqual([]);
    stage.busy(1000, 1300, 1004);
    expect(stage.detected).toMatchObject([{ atNs: 1210 * MS, suspectSinceNs: 1004 * MS }]);
  });
});

function rolledBack({ rig }: Stage, atMs: number): void {
  const to: Checkpoint = { takenAtNs: 0, origin: 'interval' };
  const rollback: Rollback = { pagesRestored: 0, undoneNs: 0, outputStruckBytes: 0, reopened: to };
  rig.domain.bus.topic('EVT_ROLLEDBACK').publish({ atNs: atMs * MS, to, rollback });
}
