import type { Checkpoint, Checkpointed } from '@rmk/core';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Ring } from '../src/ring.js';

/** Handles of a driver that notes which of them were given back. */
class Handles {
  readonly released: string[] = [];

  take(name: string, atNs: number): Checkpointed {
    const release = (what: string) => (): void => void this.released.push(`${what} ${name}`);
    return {
      atNs,
      context: { bytes: 0, verify: async () => true, release: release('context') },
      log: {
        pages: 0,
        frames: async () => new Uint32Array(0),
        read: async () => 'absent',
        verify: async () => new Uint32Array(0),
        release: release('log'),
      },
    };
  }
}

function ringOf(names: readonly string[], retain = 10) {
  const handles = new Handles();
  const ring = new Ring();
  const taken = names.map((name, index) => handles.take(name, index));
  const checkpoints = taken.map((checkpointed) => ring.add(checkpointed, 'interval', retain));
  return { handles, ring, taken, checkpoints };
}

describe('the ring', () => {
  it('keeps so many checkpoints, newest first, and gives the others back', () => {
    const { handles, ring, checkpoints } = ringOf(['a', 'b', 'c', 'd'], 3);
    expect(ring.newestFirst).toEqual(checkpoints.slice(1).toReversed());
    expect(ring.newestFirst.map(({ takenAtNs }) => takenAtNs)).toEqual([3, 2, 1]);
    expect(handles.released).toEqual(['context a', 'log a']);
  });

  it('shrinks when fewer are to be kept', () => {
    const { handles, ring } = ringOf(['a', 'b', 'c']);
    ring.add(handles.take('d', 4), 'interval', 2);
    expect(ring.newestFirst.map(({ takenAtNs }) => takenAtNs)).toEqual([4, 2]);
    expect(handles.released).toEqual(['context b', 'log b', 'context a', 'log a']);
  });

  it('names the context of a target, and the logs of every epoch since', () => {
    const { ring, taken, checkpoints } = ringOf(['a', 'b', 'c']);
    const [a, b, c] = taken;
    expect(ring.pathTo(checkpoints[1] as Checkpoint)).toEqual({
      context: b?.context,
      logs: [c?.log, b?.log],
    });
    expect(ring.pathTo(checkpoints[2] as Checkpoint)).toEqual({ context: c?.context, logs: [c?.log] });
    expect(ring.pathTo(checkpoints[0] as Checkpoint)).toEqual({
      context: a?.context,
      logs: [c?.log, b?.log, a?.log],
    });
    expect(ring.pathTo({ takenAtNs: 1, origin: 'interval' })).toBeUndefined();
  });

  it('spends the target and all that is newer on a rollback, and begins again there', () => {
    const { handles, ring, checkpoints } = ringOf(['a', 'b', 'c']);
    const target = checkpoints[1] as Checkpoint;
    const reopened = ring.rewind(target, handles.take('again', 9));
    expect(reopened).toMatchObject({ takenAtNs: 9, origin: 'rollback' });
    expect(ring.newestFirst).toEqual([reopened, checkpoints[0]]);
    expect(handles.released).toEqual(['context c', 'log c', 'context b', 'log b']);
    expect(ring.pathTo(target)).toBeUndefined();
    expect(ring.length).toBe(2);
  });

  it('gives all back when it is cleared, once', () => {
    const { handles, ring } = ringOf(['a', 'b']);
    expect([ring.clear(), ring.clear()]).toEqual([2, 0]);
    expect(handles.released).toEqual(['context b', 'log b', 'context a', 'log a']);
    expect(ring.newestFirst).toEqual([]);
  });

  describe('that is to reach back', () => {
    const timesAfter = (times: readonly number[], retain: number, reachNs?: number) => {
      const handles = new Handles();
      const ring = new Ring();
      for (const time of times) ring.add(handles.take(`${time}`, time), 'interval', retain, reachNs);
      return { times: ring.newestFirst.map(({ takenAtNs }) => takenAtNs), released: handles.released };
    };

    it('keeps more than `retain`, up to the first checkpoint that is old enough', () => {
      const { times, released } = timesAfter([0, 5, 6, 7], 2, 2);
      expect(times).toEqual([7, 6, 5]);
      expect(released).toEqual(['context 0', 'log 0']);
    });

    it('keeps all while none is old enough', () => {
      expect(timesAfter([0, 5, 6, 7], 2, 8)).toEqual({ times: [7, 6, 5, 0], released: [] });
    });

    it('keeps `retain` where fewer are old enough', () => {
      expect(timesAfter([0, 5, 6, 7], 3, 1).times).toEqual([7, 6, 5]);
    });

    it('needs no age by itself: of two checkpoints of the same time the newer is enough', () => {
      expect(timesAfter([4, 4], 1).times).toEqual([4]);
    });
  });

  it('releases the oldest alone', () => {
    const { handles, ring, checkpoints } = ringOf(['a', 'b', 'c']);
    ring.releaseOldest();
    expect(handles.released).toEqual(['context a', 'log a']);
    expect(ring.newestFirst).toEqual([checkpoints[2], checkpoints[1]]);
    expect(ring.length).toBe(2);
  });

  it('shows the time and the origin of a checkpoint to whoever prints it, and not what the driver holds', () => {
    const { checkpoints } = ringOf(['a']);
    expect(inspect(checkpoints[0])).toBe("RetainedCheckpoint { takenAtNs: 0, origin: 'interval' }");
    expect(JSON.stringify(checkpoints[0])).toBe('{"takenAtNs":0,"origin":"interval"}');
  });
});
