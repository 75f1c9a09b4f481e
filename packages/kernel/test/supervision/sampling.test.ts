import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Sampling } from '../../src/supervision/sampling.js';

afterEach(() => void vi.restoreAllMocks());

/** Which of the calls are timed, by their index; `gapsMs`: the time from each call to the next. */
function timedOf(gapsMs: readonly number[]): readonly number[] {
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const sampling = new Sampling();
  return gapsMs.flatMap((gapMs, index) => {
    const isTimed = (sampling.untilTimed -= 1) <= 0;
    if (isTimed) sampling.timed();
    nowMs += gapMs;
    return isTimed ? [index] : [];
  });
}

describe('of many calls', () => {
  it('the first is timed, and every one that comes a quarter of a millisecond or more after the one before', () => {
    const gaps = fc.array(fc.double({ min: 0.25, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        expect(timedOf(gapsMs)).toEqual(gapsMs.map((_, index) => index));
      }),
    );
  });

  it('at least one in 4096 is timed, however they come', () => {
    const gaps = fc.array(fc.constantFrom(0, 1e-6, 0.01, 1, 1000), { minLength: 5000, maxLength: 12_000 });
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        const timed = [...timedOf(gapsMs), gapsMs.length];
        expect(Math.max(...timed.map((index, at) => index - (timed[at - 1] ?? -1)))).toBeLessThanOrEqual(
          4096,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('few are timed if they follow each other at once', () => {
    expect(timedOf(Array<number>(100_000).fill(0)).length).toBeLessThan(40);
  });

  it('all are timed again from the first one on that is timed after a slow one', () => {
    const gapsMs = [...Array<number>(10_000).fill(0), 2000, ...Array<number>(10_000).fill(0.3)];
    const timed = timedOf(gapsMs);
    const first = timed.findIndex((index) => index > 10_000);
    const rest = timed.slice(first);
    expect(rest).toEqual(Array.from(rest, (_, at) => (rest[0] ?? 0) + at));
    expect(rest.at(-1)).toBe(gapsMs.length - 1);
  });
});
