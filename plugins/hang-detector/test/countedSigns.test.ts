import type { ProgressSign, RmkEvent } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CountedSigns } from '../src/countedSigns.js';
import { lockScheduler, watchedRtos } from './rtos.js';

const MS = 1e6;
const SLICE_NS = 10 * MS;
const THRESHOLD_NS = 200 * MS;
const WEAK = 'timer-rearmed';
const ALL = ['context-switch', 'heartbeat', WEAK];

function slice(atNs: number, signs: readonly string[]): RmkEvent<'EVT_VMSCHEDULED'> {
  const progress = signs.map((sign) => ({ sign, atNs }));
  return {
    atNs,
    cpuNs: SLICE_NS,
    idleNs: 0,
    haltedNs: 0,
    state: 'ran',
    progress,
    source: 'test',
    sequence: 0,
  };
}

/** When the last sign was given that counts, after each slice of a guest that is busy. */
function heard(
  counted: CountedSigns,
  slices: readonly (readonly string[])[],
): readonly (number | undefined)[] {
  return slices.map((signs, index) => counted.lastIn(slice((index + 1) * SLICE_NS, signs)));
}

const times = (count: number, signs: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: count }, () => signs);

function counting(chosen: readonly string[] = ALL): CountedSigns {
  return new CountedSigns(new Set(chosen), THRESHOLD_NS);
}

describe('the signs that count as life', () => {
  it.each(['context-switch', 'heartbeat'])(
    'a re-armed timer does not, after ten slices with a %s',
    (better) => {
      const counted = counting();
      expect(heard(counted, [...times(10, [better, WEAK]), [WEAK]]).at(-1)).toBeUndefined();
      expect([...counted.names]).toEqual(['context-switch', 'heartbeat']);
    },
  );

  it('a re-armed timer does while no better sign is proved', () => {
    expect(heard(counting(), [...times(9, ['context-switch']), [WEAK]]).at(-1)).toBe(100 * MS);
    expect(heard(counting(), times(40, [WEAK])).at(-1)).toBe(400 * MS);
  });

  it('a re-armed timer does again in a guest that stopped giving better signs before the proof', () => {
    // 21 slices without are longer than the threshold, 20 are not.
    const life = (gap: number) => [...times(9, ['heartbeat']), ...times(gap, [WEAK]), ['heartbeat'], [WEAK]];
    expect(heard(counting(), life(21)).at(-1)).toBe(320 * MS);
    expect(heard(counting(), life(20)).at(-1)).toBeUndefined();
  });

  it('a re-armed timer does where it is the only one chosen', () => {
    expect(heard(counting([WEAK]), times(20, ALL)).at(-1)).toBe(200 * MS);
  });

  it('a re-armed timer does again after a restart', () => {
    const counted = counting();
    heard(counted, times(10, ['heartbeat']));
    counted.forget();
    expect(heard(counted, [[WEAK]])).toEqual([10 * MS]);
  });

  it('once a better sign is proved, re-armed timers change nothing', () => {
    const signs = fc.array(fc.subarray(['context-switch', 'heartbeat', 'other']), { maxLength: 60 });
    fc.assert(
      fc.property(signs, fc.infiniteStream(fc.boolean()), (life, timers) => {
        const [plain, ticking] = [counting(), counting()];
        heard(plain, times(10, ['heartbeat']));
        heard(ticking, times(10, ['heartbeat']));
        const withTimers = life.map((one) => (timers.next().value === true ? [...one, WEAK] : one));
        expect(heard(ticking, withTimers)).toEqual(heard(plain, life));
      }),
    );
  });
});

describe('a kernel whose timer ticks on while one task holds the scheduler forever', () => {
  it('is accused by the default signs, once it has proved that it switches tasks', async () => {
    const rig = await watchedRtos({ threshold: '50ms' });
    let progress: readonly ProgressSign[] = [];
    rig.domain.bus.on('EVT_VMSCHEDULED', (scheduled) => void (progress = scheduled.progress));
    await rig.advance('150ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    await lockScheduler(rig);
    await rig.advance('100ms');
    expect(progress).toMatchObject([{ sign: WEAK }]);
    expect(rig.events('EVT_ERRORDETECTED')[0]).toMatchObject({
      kind: 'hang',
      cause: 'no sign of progress (context-switch, heartbeat)',
    });
  });
});
