import { describe, expect, it } from 'vitest';
import type { Board } from '../../src/board.js';
import { readRegister } from '../../src/hart/registers.js';
import { Effort } from '../../src/translator/effort.js';
import { Growth } from '../../src/translator/growth.js';
import { Heat } from '../../src/translator/heat.js';
import { Patience } from '../../src/translator/patience.js';
import { CSR } from '../assembler.js';
import { callingThroughTable } from './manyFunctions.js';
import { boardWith, translatorOf } from './translatedBoard.js';

/** Of a call through the table of functions, the way from its end to its beginning left out. */
const CALL = 7;

describe('A guest with many functions', () => {
  it('has each translated once, and all that it executes from then on is translated code', () => {
    const functions = 400;
    const board = boardWith(callingThroughTable(functions), { hotVisits: 10 });
    board.processor.run(30 * CALL * functions);
    const { translations, translated } = translatorOf(board).statistics;
    expect(translations).toBeLessThanOrEqual(functions + 10);
    board.processor.run(board.state.cycles + 100_000);
    expect(translatorOf(board).statistics.translations - translations).toBeLessThanOrEqual(3);
    expect(translatorOf(board).statistics.translated - translated).toBeGreaterThan(95_000);
  });

  it('has them translated ever more seldom where too few regions are kept for them', () => {
    const functions = 64;
    const rounds = 1280;
    const hotVisits = 10;
    const board = boardWith(callingThroughTable(functions), { hotVisits, maxRegions: 16 });
    board.processor.run(rounds * CALL * functions);
    const { translations, regions } = translatorOf(board).statistics;
    expect(regions).toBeLessThanOrEqual(16);
    // After 10 visits, 20 more, 40 more and so on: seven times at most.
    expect(translations).toBeLessThanOrEqual((functions + 4) * Math.log2(rounds / hotVisits));
    const calls = Number(readRegister(board.state, 'a0'));
    expect(Math.abs(calls - rounds * functions)).toBeLessThan(rounds);
  });
});

describe('Straight code of many calls', () => {
  it('is translated a few times at most, although it outgrows a region', () => {
    const calls = 1000;
    const board = boardWith(
      (program) => {
        program.label('main');
        for (let call = 0; call < calls; call += 1) program.jal('ra', 'function');
        program.jump('main').label('function').addi('a0', 'a0', 1).addi('a1', 'a1', 3).jalr('zero', 'ra', 0);
      },
      { hotVisits: 20, interpretedInstructions: 64 },
    );
    // A round takes 4 instructions a call.
    board.processor.run(300 * 4 * calls);
    const { effort, translations, translated } = translatorOf(board).statistics;
    expect(translations).toBeLessThan(40);
    expect(effort).toBeLessThan(5 * 4 * calls);
    expect(translated).toBeGreaterThan(200 * 4 * calls);
  });
});

describe('A loop that begins with what the interpreter has to execute', () => {
  const after = (instructions: number): Board =>
    boardWith(
      (program) => {
        program.label('loop').csrw(CSR.mscratch, 'a0');
        for (let count = 0; count < instructions; count += 1) program.addi('a0', 'a0', 1);
        program.jump('loop');
      },
      { hotVisits: 10 },
    );

  it('is translated from the next instruction on', () => {
    const board = after(48);
    board.processor.run(100_000);
    expect(Number(readRegister(board.state, 'a0'))).toBe(48 * 2000);
    expect(translatorOf(board).statistics.translated).toBeGreaterThan(95_000);
  });

  it('is left to the interpreter where entering translated code takes longer than it saves', () => {
    const board = after(2);
    board.processor.run(100_000);
    const { translated } = translatorOf(board).statistics;
    expect(translated).toBeLessThanOrEqual(3 * 256);
    board.processor.run(200_000);
    expect(translatorOf(board).statistics.translated).toBeLessThanOrEqual(2 * 3 * 256);
    expect(Number(readRegister(board.state, 'a0'))).toBe(100_000);
  });
});

describe('Patience', () => {
  it('lasts longer from time to time in a loop, and is short where execution comes by seldom', () => {
    const patience = new Patience();
    let executed = 0;
    const lengths = Array.from({ length: 8 }, () => {
      const until = patience.until(executed);
      const length = until - executed;
      executed = until + 63;
      return length;
    });
    expect(lengths).toEqual([64, 128, 256, 512, 1024, 2048, 2048, 2048]);
    expect(patience.until(executed + 1)).toBe(executed + 1 + 64);
  });
});

describe('Growth', () => {
  it('waits until a region has run for long enough, and twice as long for each instruction the next time', () => {
    const first = new Growth([1]);
    first.begin(5000, 10);
    expect(first.request(2, 14_999)).toBeUndefined();
    const second = first.request(3, 15_000);
    expect(second?.asked).toEqual([1, 2, 3]);
    second?.begin(15_000, 10);
    expect(second?.request(4, 34_999)).toBeUndefined();
    expect(second?.request(4, 35_000)?.asked).toEqual([1, 2, 3, 4]);
  });

  it('has 64 places at most, and ends where the larger region was refused', () => {
    const growth = new Growth([1]);
    growth.begin(0, 1);
    for (let pc = 2; pc < 100; pc += 1) growth.request(pc, 0);
    const grown = growth.request(100, 1000);
    expect([grown?.asked.length, grown?.isFull, growth.isFull]).toEqual([64, true, false]);
    growth.refuse();
    expect([1, 2, 100, 101].map((pc) => growth.isSettled(pc))).toEqual([true, true, true, false]);
    expect(growth.isFull).toBe(true);
  });
});

describe('Heat', () => {
  const visitsUntilHot = (heat: Heat, pc: number): number => {
    for (let visits = 1; ; visits += 1) if (heat.visit(pc)) return visits;
  };

  it('makes a place hot each so many visits, and each twice as many once it was translated', () => {
    for (const hotVisits of [1, 2, 300]) {
      const heat = new Heat(hotVisits);
      expect([visitsUntilHot(heat, 4), visitsUntilHot(heat, 4)]).toEqual([hotVisits, hotVisits]);
      heat.backOff(4);
      expect([visitsUntilHot(heat, 4), visitsUntilHot(heat, 4)]).toEqual([2 * hotVisits, 2 * hotVisits]);
      heat.backOff(4);
      expect(visitsUntilHot(heat, 4)).toBe(4 * hotVisits);
      expect(visitsUntilHot(heat, 8)).toBe(hotVisits);
    }
  });
});

describe('Effort', () => {
  it('is bounded by what was executed, beyond what is free', () => {
    const effort = new Effort();
    const affordable = (executed: number): number => {
      let translations = 0;
      for (; effort.isAffordable(executed); translations += 1) effort.spend(950);
      return translations;
    };
    expect(affordable(0)).toBe(50);
    expect(affordable(0)).toBe(0);
    expect(affordable(10_000 * 8192)).toBe(10);
  });
});
