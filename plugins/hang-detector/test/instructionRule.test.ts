import type { RmkEvent } from '@rmk/core';
import { startFakeRig, startRig, type Rig } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hangDetector } from '../src/index.js';
import { lockScheduler, watchedRtos } from './rtos.js';
import { scriptedScheduling, SLICE_NS } from './scriptedScheduling.js';

const MS = 1e6;
const MOST = 3_000;
const PER_SLICE = 1_000;

/** The time rule is out of the way: any heartbeat is life to it. */
const options = { signs: ['heartbeat'], maxInstructions: MOST };

type Detected = RmkEvent<'EVT_ERRORDETECTED'>;

function hangs(rig: Rig): readonly Detected[] {
  return rig.events('EVT_ERRORDETECTED');
}

/** Publishes a slice of 1000 instructions that ends at `atNs`, with a context switch in it or without. */
function publishSlice(rig: Rig, atNs: number, switchedAtNs?: number): void {
  rig.domain.bus.topic('EVT_VMSCHEDULED').publish({
    atNs,
    cpuNs: SLICE_NS,
    idleNs: 0,
    haltedNs: 0,
    instructions: PER_SLICE,
    state: 'ran',
    progress: switchedAtNs === undefined ? [] : [{ sign: 'context-switch', atNs: switchedAtNs }],
  });
}

/** Publishes slices of 1000 instructions each from `fromMs` on; `switched`: whether a context switch ends the slice. */
function publish(rig: Rig, fromMs: number, switched: readonly boolean[]): void {
  switched.forEach((isSwitch, index) => {
    const atNs = fromMs * MS + (index + 1) * SLICE_NS;
    publishSlice(rig, atNs, isSwitch ? atNs : undefined);
  });
}

const silent = (slices: number): readonly boolean[] => Array.from({ length: slices }, () => false);

function scripted(): Promise<Rig> {
  return startRig({ guest: 'tasks', plugins: [scriptedScheduling(), hangDetector(options)] });
}

describe('the instruction rule', () => {
  it('accuses at the end of the first slice beyond maxInstructions, and suspects the time since the switch', async () => {
    const rig = await scripted();
    publish(rig, 0, [true, ...silent(4)]);
    expect(hangs(rig)).toMatchObject([
      {
        atNs: 50 * MS,
        kind: 'hang',
        cause: 'no context switch in 3000 instructions',
        suspectSinceNs: 10 * MS,
      },
    ]);
  });

  it('accuses a guest that goes on hanging once each maxInstructions', async () => {
    const rig = await scripted();
    publish(rig, 0, [true, ...silent(9)]);
    expect(hangs(rig).map(({ atNs }) => atNs / MS)).toEqual([50, 90]);
  });

  it('never accuses for maxInstructions or fewer, and always for more', async () => {
    const rig = await scripted();
    let fromMs = 0;
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (switched) => {
        rig.domain.bus.topic('EVT_VMRESTARTED').publish({ atNs: fromMs * MS });
        const before = hangs(rig).length;
        publish(rig, fromMs, switched);
        fromMs += 10 * switched.length;
        let executed: number | undefined;
        let expected = 0;
        for (const isSwitch of switched) {
          if (isSwitch) executed = 0;
          else if (executed !== undefined) executed += PER_SLICE;
          if (executed === undefined || executed <= MOST) continue;
          expected += 1;
          executed = 0;
        }
        expect(hangs(rig).length - before).toBe(expected);
      }),
    );
  });

  it('counts what was executed after the switch within its slice', async () => {
    const rig = await scripted();
    publishSlice(rig, 10 * MS, 5 * MS);
    publish(rig, 10, silent(3));
    expect(hangs(rig)).toMatchObject([{ atNs: 40 * MS, suspectSinceNs: 5 * MS }]);
  });

  it('starts again after a rollback, armed as before, and after a restart waits for the first switch', async () => {
    const rig = await scripted();
    publish(rig, 0, [true, ...silent(3)]);
    const to = { takenAtNs: 0, origin: 'interval' } as const;
    const rollback = { pagesRestored: 0, undoneNs: 0, outputStruckBytes: 0, reopened: to };
    rig.domain.bus.topic('EVT_ROLLEDBACK').publish({ atNs: 40 * MS, to, rollback });
    publish(rig, 40, silent(3));
    expect(hangs(rig)).toEqual([]);
    publish(rig, 70, silent(1));
    expect(hangs(rig)).toMatchObject([{ suspectSinceNs: 40 * MS }]);
    rig.domain.bus.topic('EVT_VMRESTARTED').publish({ atNs: 80 * MS });
    publish(rig, 80, silent(20));
    expect(hangs(rig)).toHaveLength(1);
  });

  it('finds a task that holds the scheduler forever, though the timer ticks on', async () => {
    const rig = await watchedRtos({ signs: ['timer-rearmed'], maxInstructions: 5_000_000 });
    await rig.advance('30ms');
    await lockScheduler(rig);
    await rig.advance('200ms');
    expect(hangs(rig)[0]).toMatchObject({ cause: 'no context switch in 5000000 instructions' });
  });

  it('is refused where the hypervisor counts no instructions', async () => {
    await expect(startFakeRig({ plugins: [hangDetector(options)] })).rejects.toThrow(
      /RMK_ERR_CAPABILITY: .*instruction-count/,
    );
  });
});
