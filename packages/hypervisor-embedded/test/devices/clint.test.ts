import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clint } from '../../src/devices/clint.js';
import { StateReader, StateWriter } from '../../src/memory/stateStream.js';

const MSIP = 0x0000;
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;

function mtime(clint: Clint, cycles: number): bigint {
  return (BigInt(clint.read(MTIME + 4, cycles)) << 32n) + BigInt(clint.read(MTIME, cycles));
}

describe('mtime', () => {
  it('is the cycles over the cycles of a tick', () => {
    for (const cyclesPerTick of [1, 10, 3.3, 0.5]) {
      const clint = new Clint(cyclesPerTick);
      for (const cycles of [0, 1, 9, 10, 11, 99, 100, 12345, 2 ** 40 + 1]) {
        expect(mtime(clint, cycles)).toBe(BigInt(Math.floor(cycles / cyclesPerTick)));
      }
    }
  });

  it('goes on from what is written to it, each half alone', () => {
    const clint = new Clint(10);
    clint.write(MTIME, 0, 1009);
    expect([mtime(clint, 1009), mtime(clint, 1010), mtime(clint, 2000)]).toEqual([0n, 1n, 100n]);
    clint.write(MTIME + 4, 5, 2000);
    expect(mtime(clint, 2010)).toBe(5n * 2n ** 32n + 101n);
    clint.write(MTIME, 0xffff_ffff, 2010);
    expect(mtime(clint, 2020)).toBe(6n * 2n ** 32n);
  });
});

describe('the timer', () => {
  it('is never due after power-on', () => {
    const clint = new Clint();
    expect([clint.timerDueCycle, clint.pending(2 ** 52)]).toEqual([Infinity, 0]);
    expect([clint.read(MTIMECMP, 0), clint.read(MTIMECMP + 4, 0)]).toEqual([0xffff_ffff, 0xffff_ffff]);
  });

  it('is due at the first cycle at which mtime is at or past mtimecmp', () => {
    const rate = fc.oneof(
      fc.constantFrom(1, 10, 100, 0.5, 3.3),
      fc.double({ min: 0.01, max: 1000, noNaN: true }),
    );
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 2 ** 40 }), (cyclesPerTick, tick) => {
        const clint = new Clint(cyclesPerTick);
        clint.write(MTIMECMP, tick % 2 ** 32, 0);
        clint.write(MTIMECMP + 4, Math.floor(tick / 2 ** 32), 0);
        const due = clint.timerDueCycle;
        expect(mtime(clint, due) >= BigInt(tick)).toBe(true);
        expect(mtime(clint, due - 1) < BigInt(tick)).toBe(true);
        expect([clint.pending(due - 1), clint.pending(due)]).toEqual([0, 0x80]);
      }),
    );
  });

  it.each([
    [1.1, 170],
    [2.7, 90],
    [4.9, 90],
  ])('is not due late where %d cycles a tick times %i is rounded up', (cyclesPerTick, tick) => {
    const clint = new Clint(cyclesPerTick);
    clint.write(MTIMECMP, tick, 0);
    clint.write(MTIMECMP + 4, 0, 0);
    const due = clint.timerDueCycle;
    expect([mtime(clint, due - 1), mtime(clint, due)]).toEqual([BigInt(tick - 1), BigInt(tick)]);
    expect(due).toBeLessThan(Math.ceil(tick * cyclesPerTick));
  });

  it('follows mtime when that is written', () => {
    const clint = new Clint(10);
    clint.write(MTIMECMP, 100, 0);
    clint.write(MTIMECMP + 4, 0, 0);
    expect(clint.timerDueCycle).toBe(1000);
    clint.write(MTIME, 40, 500);
    expect(clint.timerDueCycle).toBe(1100);
    clint.write(MTIME, 200, 600);
    expect(clint.pending(600)).toBe(0x80);
    clint.write(MTIME, 0, 700);
    expect([clint.pending(700), clint.timerDueCycle]).toEqual([0, 1700]);
  });

  it('reads mtimecmp back as it was written, each half unsigned', () => {
    const clint = new Clint();
    clint.write(MTIMECMP, -2, 0);
    clint.write(MTIMECMP + 4, -3, 0);
    expect([clint.read(MTIMECMP, 0), clint.read(MTIMECMP + 4, 0)]).toEqual([0xffff_fffe, 0xffff_fffd]);
  });

  it('notes when it was set', () => {
    const clint = new Clint();
    expect(clint.timerRearmCycle).toBe(-1);
    clint.write(MTIMECMP, 1, 5);
    clint.write(MTIMECMP + 4, 0, 6);
    clint.write(MTIME, 0, 7);
    clint.write(MSIP, 0, 8);
    expect(clint.timerRearmCycle).toBe(6);
  });
});

describe('msip', () => {
  it('is one bit', () => {
    const clint = new Clint();
    clint.write(MSIP, 0xffff_ffff, 0);
    expect([clint.read(MSIP, 0), clint.pending(0)]).toEqual([1, 0x8]);
    clint.write(MSIP, 0xffff_fffe, 0);
    expect([clint.read(MSIP, 0), clint.pending(0)]).toEqual([0, 0]);
  });
});

describe('addresses between the registers', () => {
  it('read zero and ignore writes', () => {
    const clint = new Clint();
    for (const offset of [4, 0x3ffc, 0x4008, 0xbff4]) {
      clint.write(offset, 0xffff_ffff, 0);
      expect(clint.read(offset, 1000)).toBe(0);
    }
    expect([clint.pending(0), clint.timerDueCycle, clint.timerRearmCycle]).toEqual([0, Infinity, -1]);
  });
});

describe('a saved state', () => {
  it('goes on as it would have', () => {
    const clint = new Clint(10);
    clint.write(MSIP, 1, 0);
    clint.write(MTIMECMP, 77, 0);
    clint.write(MTIMECMP + 4, 0, 0);
    clint.write(MTIME, 30, 1234);
    const bytes = new Uint8Array(Clint.BYTES);
    const to = new StateWriter(bytes);
    clint.save(to);
    expect(to.position).toBe(Clint.BYTES);
    const other = new Clint(10);
    other.load(new StateReader(bytes));
    expect(other.timerDueCycle).toBe(clint.timerDueCycle);
    for (const cycles of [1234, 1699, 1700, 99999]) {
      expect(other.pending(cycles)).toBe(clint.pending(cycles));
      for (const offset of [MSIP, MTIMECMP, MTIMECMP + 4, MTIME, MTIME + 4]) {
        expect(other.read(offset, cycles)).toBe(clint.read(offset, cycles));
      }
    }
  });
});
