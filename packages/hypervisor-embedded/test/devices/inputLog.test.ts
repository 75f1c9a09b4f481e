import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputLog, type InputChunk } from '../../src/devices/inputLog.js';

const chunk: fc.Arbitrary<InputChunk> = fc.record({
  atCycle: fc.nat(100),
  data: fc.uint8Array({ maxLength: 5 }),
});
const script = fc.array(chunk, { maxLength: 10 });

/** All bytes with the cycle at which each arrives, in the order of arrival: those of one cycle as they were given. */
function arrivals(chunks: readonly InputChunk[]): readonly (readonly [number, number])[] {
  return chunks
    .toSorted((one, other) => one.atCycle - other.atCycle)
    .flatMap(({ atCycle, data }) => [...data].map((byte) => [atCycle, byte] as const));
}

function takeAll(log: InputLog, cycle: number): readonly number[] {
  const taken: number[] = [];
  for (let byte = log.take(cycle); byte >= 0; byte = log.take(cycle)) taken.push(byte);
  return taken;
}

describe('an input log', () => {
  it('gives each byte once, in order, and none before its time', () => {
    fc.assert(
      fc.property(script, (chunks) => {
        const log = new InputLog(chunks);
        const found: (readonly [number, number])[] = [];
        for (let cycle = 0; cycle <= 100; cycle++) {
          found.push(...takeAll(log, cycle).map((byte) => [cycle, byte] as const));
        }
        expect(found).toEqual(arrivals(chunks));
        expect(log.cursor).toBe(found.length);
      }),
    );
  });

  it('gives again from any cursor that it had', () => {
    fc.assert(
      fc.property(script, fc.nat(), (chunks, choice) => {
        const all = arrivals(chunks).map(([, byte]) => byte);
        const log = new InputLog(chunks);
        takeAll(log, 100);
        const cursor = choice % (all.length + 1);
        log.cursor = cursor;
        expect(log.cursor).toBe(cursor);
        expect(takeAll(log, 100)).toEqual(all.slice(cursor));
      }),
    );
  });

  it('puts live input after all that has arrived and before all that is foreseen, and keeps it for a replay', () => {
    fc.assert(
      fc.property(
        script,
        fc.nat(100),
        fc.nat(50),
        fc.uint8Array({ minLength: 1, maxLength: 5 }),
        (chunks, now, taken, data) => {
          const log = new InputLog(chunks);
          for (let byte = 0; byte < taken; byte++) log.take(now);
          const { cursor } = log;
          log.add(now, data);
          expect(log.cursor).toBe(cursor);
          const all = arrivals([...chunks, { atCycle: now, data }]).map(([, byte]) => byte);
          expect(takeAll(log, 100)).toEqual(all.slice(cursor));
          log.cursor = 0;
          expect(takeAll(log, 100)).toEqual(all);
        },
      ),
    );
  });

  it('keeps the order of arrival when live input comes before what a rollback made to be received again', () => {
    const log = new InputLog([{ atCycle: 90, data: Uint8Array.of(9) }]);
    log.add(10, Uint8Array.of(1));
    log.add(50, Uint8Array.of(2));
    takeAll(log, 50);
    log.cursor = 0;
    log.add(20, Uint8Array.of(3));
    expect(takeAll(log, 49)).toEqual([1]);
    expect(takeAll(log, 50)).toEqual([2, 3]);
    expect(takeAll(log, 90)).toEqual([9]);
  });

  it('does not see what its giver does to the bytes later', () => {
    const data = Uint8Array.of(1, 2);
    const log = new InputLog();
    log.add(0, data);
    data.fill(9);
    expect(takeAll(log, 0)).toEqual([1, 2]);
  });
});
