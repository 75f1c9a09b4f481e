import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Counter } from '../../src/hart/counter.js';
import { Stop } from '../../src/hart/processor.js';
import { StateReader, StateWriter } from '../../src/memory/stateStream.js';
import { Assembler, CSR } from '../assembler.js';
import { boardWith, RAM, TestBoard } from '../testBoard.js';

const word = fc.oneof(
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const count = fc.integer({ min: 0, max: 2 ** 52 });

describe('a counter', () => {
  it('is the value written plus the way of its source since, modulo 2^64', () => {
    fc.assert(
      fc.property(word, word, count, count, (low, high, since, advanced) => {
        const counter = new Counter();
        counter.write(low, high, since);
        const expected = BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low) + BigInt(advanced));
        const read = (BigInt(counter.high(since + advanced)) << 32n) + BigInt(counter.low(since + advanced));
        expect(read).toBe(expected);
      }),
    );
  });

  it('says when it will be at a value', () => {
    fc.assert(
      fc.property(
        word,
        fc.integer({ min: 0, max: 2 ** 19 }),
        count,
        fc.integer({ min: -1000, max: 2 ** 40 }),
        (low, high, since, ahead) => {
          const counter = new Counter();
          counter.write(low, high, since);
          const value = BigInt(high) * 2n ** 32n + BigInt(low) + BigInt(ahead);
          fc.pre(value >= 0n && value < 2n ** 64n);
          const reached = counter.reaches(Number(value & 0xffffffffn), Number(value >> 32n));
          expect(reached).toBe(since + Math.max(0, ahead));
        },
      ),
    );
  });

  it('is far away from a value that is far away', () => {
    expect(new Counter().reaches(0xffffffff, 0xffffffff)).toBeGreaterThan(2 ** 63);
  });

  it('goes on where it was saved', () => {
    const counter = new Counter();
    counter.write(0xfffffff0, 0xffffffff, 12345678901);
    const bytes = new Uint8Array(Counter.BYTES);
    counter.save(new StateWriter(bytes));
    const other = new Counter();
    other.load(new StateReader(bytes));
    expect([other.low(12345678921), other.high(12345678921)]).toEqual([4, 0]);
  });
});

describe('the counters of the hart', () => {
  it('count instructions and cycles, exceptions as cycles only', () => {
    const board = boardWith((program) => {
      program.csrr('a0', CSR.cycle).csrr('a1', CSR.instret).ecall();
    });
    board.load(
      new Assembler(RAM + 0x100).csrr('a2', CSR.mcycle).csrr('a3', CSR.minstret).csrr('a4', CSR.instret),
    );
    board.set('mtvec', RAM + 0x100);
    board.runTo(6);
    expect(['a0', 'a1', 'a2', 'a3', 'a4'].map((name) => board.x(name))).toEqual([0, 1, 3, 3, 4]);
  });

  it('count idle cycles as cycles only', () => {
    const board = boardWith((program) =>
      program.csrr('a0', CSR.cycle).csrr('a1', CSR.instret).csrr('a2', CSR.time),
    );
    board.state.cycles = 1000;
    board.state.idleCycles = 900;
    board.runTo(1003);
    expect(['a0', 'a1', 'a2'].map((name) => board.x(name))).toEqual([1000, 101, 100]);
  });

  it.each([
    ['mcycle', CSR.mcycle, CSR.mcycleh, CSR.cycle, CSR.cycleh],
    ['minstret', CSR.minstret, CSR.minstreth, CSR.instret, CSR.instreth],
  ])(
    '%s reads what was written in the instruction behind the write, and carries into its upper half',
    (_, low, high, user, userHigh) => {
      const board = boardWith((program) => {
        program
          .csrw(low, 'a0')
          .csrr('a1', low)
          .csrr('a2', user)
          .csrw(high, 'a3')
          .csrr('a4', high)
          .csrr('a5', low);
        program.csrw(low, 'a6').csrr('s0', low).csrr('s1', userHigh).csrr('s2', high);
      });
      board.set('a0', 500).set('a3', 7).set('a6', 0xffff_ffff);
      expect(board.processor.run(10)).toBe(Stop.LIMIT);
      expect(['a1', 'a2', 'a4', 'a5'].map((name) => board.x(name))).toEqual([500, 501, 7, 503]);
      // The write to the upper half stood for the count of its own instruction: 502 at the write and behind it.
      expect(['s0', 's1', 's2'].map((name) => board.x(name))).toEqual([0xffff_ffff, 8, 8]);
    },
  );

  it('reach far beyond 32 bits', () => {
    const board = boardWith((program) =>
      program.csrr('a0', CSR.cycle).csrr('a1', CSR.cycleh).csrr('a2', CSR.time),
    );
    board.state.cycles = 2 ** 45 + 2 ** 33 + 5;
    board.runTo(board.state.cycles + 3);
    expect([board.x('a0'), board.x('a1')]).toEqual([5, 2 ** 13 + 2]);
    expect(board.x('a2')).toBe(Math.floor((2 ** 45 + 2 ** 33 + 7) / 10) % 2 ** 32);
  });

  it('are not set back by a saved and loaded state', () => {
    const board = new TestBoard().load(
      new Assembler()
        .csrw(CSR.mcycle, 'a0')
        .csrw(CSR.minstret, 'a0')
        .csrr('a1', CSR.mcycle)
        .csrr('a2', CSR.minstret),
    );
    board.set('a0', 0x1234_5678).processor.run(2);
    const other = board.copy();
    other.processor.run(4);
    expect([other.x('a1'), other.x('a2')]).toEqual([0x1234_5679, 0x1234_5679]);
  });
});
