import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board } from '../../src/board.js';
import { InputLog } from '../../src/devices/inputLog.js';
import { Transcript } from '../../src/devices/transcript.js';
import type { Engine } from '../../src/engine.js';
import { Stop } from '../../src/hart/processor.js';
import { writeRegister } from '../../src/hart/registers.js';
import { GuestMemory } from '../../src/memory/guestMemory.js';
import { Translator } from '../../src/translator/translator.js';
import { Assembler } from '../assembler.js';
import { CODE, handlerOf, HANDLER, PAGES, POINTERS, randomGuest, type RandomGuest } from '../randomGuest.js';
import { PAGE } from '../testBoard.js';
import { loopingGuest } from './loopingGuest.js';

const EAGER: Engine = { translator: { hotVisits: 1, interpretedInstructions: 1, compilesBeside: false } };

function boardOf(guest: RandomGuest, engine: Engine): Board {
  const memory = new GuestMemory(PAGES * PAGE, 64);
  const input = Array.from({ length: 40 }, (_, at) => ({ atCycle: at * 17, data: Uint8Array.of(at) }));
  const board = new Board(memory, new Transcript(1 << 16), new InputLog(input), 10, engine);
  const loop = new Assembler(CODE).word(...guest.words);
  const segments = [loop.jump(CODE - loop.here), handlerOf(guest)].map((program) => {
    const data = new Uint8Array(program.words().buffer);
    return { address: program.origin, data, memoryBytes: data.length, headerBytes: 0 };
  });
  const image = { source: 'test', format: 'elf', entry: CODE, segments, symbols: new Map() } as const;
  board.boot({ image, bootData: [], deviceTree: undefined, currentTask: undefined });
  const set = (name: string, value: number) => writeRegister(board.state, name, BigInt(value >>> 0));
  guest.registers.forEach((value, index) => set(`x${index + 1}`, value));
  for (const [name, value] of POINTERS) set(name, value);
  set('privilege', guest.user ? 0 : 3);
  set('mstatus', guest.mstatus);
  set('mie', guest.mie);
  set('mtvec', guest.mtvec ?? HANDLER);
  board.state.clint.write(0x4000, guest.timer, 0);
  board.state.clint.write(0x4004, 0, 0);
  board.state.timerRearmCycle = -1;
  memory.nextEpoch({ preSave: 'none' });
  return board;
}

/** Runs until `cycle`, past exceptions and idle time. */
function runTo(board: Board, cycle: number): Stop {
  const { state, processor } = board;
  for (;;) {
    const stop = processor.run(cycle);
    if (stop === Stop.LIMIT || stop === Stop.EXITED) return stop;
    if (stop !== Stop.WAITING) continue;
    const wake = Math.min(cycle, state.nextWakeCycle());
    state.idleCycles += wake - state.cycles;
    state.cycles = wake;
    if (state.cycles >= cycle) return stop;
  }
}

/** Everything in which two runs can differ. */
function outcomeOf(board: Board, stop: Stop): unknown {
  const { memory, state } = board;
  return {
    stop,
    instructions: state.instructions,
    pc: (state.pc >>> 0).toString(16),
    digest: board.digest(),
    pageState: [...memory.pageState].map((page) => (page === 4 ? 0 : page)),
    faulted: [...memory.takeFaulted()],
  };
}

describe('translated code gives what the interpreter gives', () => {
  it('for programs that do everything at random, at any instruction count', () => {
    fc.assert(
      fc.property(
        randomGuest,
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
        (...args) => void agree(...args),
      ),
      { numRuns: 150 },
    );
  });

  it('for programs with loops, calls and tables of jumps, at any instruction count', () => {
    let translated = 0;
    fc.assert(
      fc.property(
        loopingGuest,
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 4 }),
        (...args) => {
          translated += agree(...args);
        },
      ),
      { numRuns: 40 },
    );
    expect(translated).toBeGreaterThan(10_000);
  });
});

/** Gives how many instructions translated code has executed. */
function agree(guest: RandomGuest, stretches: readonly number[]): number {
  const interpreted = boardOf(guest, 'interpreter');
  const translated = boardOf(guest, EAGER);
  let cycle = 0;
  for (const stretch of stretches) {
    cycle += stretch;
    const expected = outcomeOf(interpreted, runTo(interpreted, cycle));
    expect(outcomeOf(translated, runTo(translated, cycle))).toEqual(expected);
    for (const { memory } of [interpreted, translated]) memory.nextEpoch({ preSave: 'updated' });
  }
  const { processor } = translated;
  return processor instanceof Translator ? processor.statistics.translated : 0;
}
