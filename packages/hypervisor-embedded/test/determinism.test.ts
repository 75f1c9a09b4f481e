import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../src/hart/processor.js';
import { boardOf, outcomeOf, randomGuest, randomWord } from './randomGuest.js';
import { PAGE, RAM, TestBoard } from './testBoard.js';

const CYCLES = 1500;
const slices = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 40 });

describe('any guest at all', () => {
  it('runs to the end of its time, exits or waits, and stays within its RAM', () => {
    fc.assert(
      fc.property(randomGuest, (guest) => {
        const board = boardOf(guest);
        const stop = board.runThrough(CYCLES);
        expect([Stop.LIMIT, Stop.WAITING, Stop.EXITED]).toContain(stop);
        if (stop === Stop.LIMIT) expect(board.state.cycles).toBe(CYCLES);
        expect(board.memory.guardsIntact).toBe(true);
        const { state } = board;
        expect([state.x[0], state.pc & 1, state.x.length]).toEqual([0, 0, 32]);
        expect(state.instructions + state.exceptions + state.idleCycles).toBe(state.cycles);
        expect(state.mstatus & ~0x0022_1888).toBe(0);
        expect([0, 3]).toContain((state.mstatus >>> 11) & 3);
      }),
      { numRuns: 1000 },
    );
  });

  it('reports each page before it changes it', () => {
    fc.assert(
      fc.property(randomGuest, (guest) => {
        const board = boardOf(guest);
        const before = board.memory.u8.slice();
        board.runThrough(CYCLES);
        const restored = board.memory.u8.slice();
        for (const { frame, contents } of board.memory.reported) restored.set(contents, frame * PAGE);
        expect(Buffer.compare(restored, before)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('ends the same however its run is split', () => {
    fc.assert(
      fc.property(randomGuest, slices, (guest, lengths) => {
        const whole = boardOf(guest);
        whole.runThrough(CYCLES);
        const cut = boardOf(guest);
        let at = 0;
        for (const length of lengths) {
          at = Math.min(CYCLES, at + length);
          cut.runThrough(at);
        }
        cut.runThrough(CYCLES);
        expect(outcomeOf(cut) === outcomeOf(whole)).toBe(true);
        expect([cut.state.contextSwitchCycle, cut.state.timerRearmCycle]).toEqual([
          whole.state.contextSwitchCycle,
          whole.state.timerRearmCycle,
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  it('ends the same when it runs one instruction at a time', () => {
    fc.assert(
      fc.property(randomGuest, (guest) => {
        const whole = boardOf(guest);
        whole.runThrough(300);
        const stepped = boardOf(guest);
        for (let cycle = 1; cycle <= 300; cycle += 1) stepped.runThrough(cycle);
        expect(outcomeOf(stepped) === outcomeOf(whole)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on from a saved and loaded state as it would have', () => {
    fc.assert(
      fc.property(randomGuest, slices, (guest, lengths) => {
        const whole = boardOf(guest);
        whole.runThrough(CYCLES);
        let board = boardOf(guest);
        let at = 0;
        for (const length of lengths) {
          at = Math.min(CYCLES, at + length);
          board.runThrough(at);
          const saved = outcomeOf(board);
          board = board.copy();
          expect(outcomeOf(board) === saved).toBe(true);
        }
        board.runThrough(CYCLES);
        expect(outcomeOf(board) === outcomeOf(whole)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('raises nothing in the host when a single word is executed in any state', () => {
    fc.assert(
      fc.property(
        randomWord,
        fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 31, maxLength: 31 }),
        (word, values) => {
          const board = new TestBoard();
          board.memory.i32[0] = word;
          values.forEach((value, index) => board.set(`x${index + 1}`, value));
          const stop = board.step();
          expect(board.state.cycles).toBe(1);
          expect(stop === Stop.EXCEPTION).toBe(board.state.exceptions === 1);
          if (stop === Stop.EXCEPTION) expect(board.x('mepc')).toBe(RAM);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('run', () => {
  it('does nothing for a limit that has passed, or is not a number', () => {
    const board = new TestBoard();
    board.runTo(10);
    const before = outcomeOf(board);
    for (const limit of [0, 9, 10, -Infinity, NaN]) expect(board.processor.run(limit)).toBe(Stop.LIMIT);
    expect(outcomeOf(board)).toBe(before);
  });

  it('goes past a limit that is no whole number by less than a cycle', () => {
    const board = new TestBoard();
    board.memory.i32.fill(0x13);
    expect(board.processor.run(7.2)).toBe(Stop.LIMIT);
    expect(board.state.cycles).toBe(8);
  });
});
