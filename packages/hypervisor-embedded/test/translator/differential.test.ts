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
import { loopingGuest, steadyGuest } from './loopingGuest.js';

const EAGER: Engine = { translator: { hotVisits: 1, interpretedInstructions: 1 } };

function boardOf(guest: RandomGuest, engine: Engine): Board {
  const memory = new GuestMemory(PAGES * PAGE, LOG_PAGES);
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

/** Of each engine at least: in CI both together execute 1e9 instructions. */
const STEADY_INSTRUCTIONS = process.env['RMK_LONG'] === '1' ? 5e9 : process.env['CI'] === 'true' ? 5e8 : 4e7;
const STEADY_GUESTS = process.env['RMK_LONG'] === '1' ? 100 : 20;
const STRETCHES = 30;
/** Every so many stretches one is rolled back, and run again. */
const ROLLBACK_EACH = 3;
const timesRun = (index: number) => (index % ROLLBACK_EACH === ROLLBACK_EACH - 1 ? 2 : 1);
/** Enough for the logs of all stretches, and of those that are run again. */
const LOG_PAGES = 2 * STRETCHES * PAGES;
/** Mostly a few instructions, so that states are compared often, and now and then millions. */
const lengths = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 1_000_000 }));

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
          translated += agree(...args).translated;
        },
      ),
      { numRuns: 40 },
    );
    expect(translated).toBeGreaterThan(10_000);
  });

  it('for programs that run for long, at random instruction counts, with rollbacks in the middle', () => {
    const each = STEADY_INSTRUCTIONS / STEADY_GUESTS;
    let executed = 0;
    let translated = 0;
    fc.assert(
      fc.property(
        steadyGuest,
        fc.array(lengths, { minLength: STRETCHES, maxLength: STRETCHES }),
        (guest, parts) => {
          const whole = parts.reduce((sum, part, index) => sum + part * timesRun(index), 0);
          const stretches = parts.map((part) => (part <= 10 ? part : Math.ceil((part * each) / whole)));
          // What short stretches leave out of the whole, the first makes up for.
          const run = stretches.reduce((sum, cycles, index) => sum + cycles * timesRun(index), 0);
          stretches[0] = (stretches[0] ?? 0) + Math.max(0, each - run);
          const counts = agree(guest, stretches, ROLLBACK_EACH, 'translator');
          executed += counts.executed;
          translated += counts.translated;
        },
      ),
      // A failing guest runs for too long to be shrunk.
      { numRuns: STEADY_GUESTS, endOnFailure: true },
    );
    process.stdout.write(`${executed} instructions by both engines, ${translated} of them translated\n`);
    expect(executed).toBeGreaterThanOrEqual(2 * STEADY_INSTRUCTIONS);
    expect(translated).toBeGreaterThan(0.5 * STEADY_INSTRUCTIONS);
  }, 3_600_000);
});

interface Counts {
  /** Instructions that both engines executed, those that were rolled back included. */
  readonly executed: number;
  /** How many of them translated code executed. */
  readonly translated: number;
}

/**
 * Runs a guest on both engines, a stretch and an epoch at a time.
 * `rollbackEach`: every so many stretches one is rolled back, and run again.
 */
function agree(
  guest: RandomGuest,
  stretches: readonly number[],
  rollbackEach = Infinity,
  engine = EAGER,
): Counts {
  const boards = [boardOf(guest, 'interpreter'), boardOf(guest, engine)] as const;
  let executed = 0;
  const runAll = (cycles: number): Begun[] => {
    const begun = boards.map((board) => begin(board, cycles));
    compare(boards, begun);
    for (const { instructions } of begun) executed += instructions;
    return begun;
  };
  for (const [index, cycles] of stretches.entries()) {
    const begun = runAll(cycles);
    if (index % rollbackEach !== rollbackEach - 1) continue;
    for (const [which, board] of boards.entries()) begun[which]?.rollback(board);
    runAll(cycles);
  }
  const { processor } = boards[1];
  const translated = processor instanceof Translator ? processor.statistics.translated : 0;
  return { executed, translated };
}

interface Begun {
  readonly stop: Stop;
  readonly instructions: number;
  rollback(board: Board): void;
}

/** Opens an epoch and runs through it. */
function begin(board: Board, stretch: number): Begun {
  const { log } = board.memory.nextEpoch({ preSave: 'updated' });
  const context = board.save();
  const before = board.state.instructions;
  const stop = runTo(board, board.state.cycles + stretch);
  return {
    stop,
    instructions: board.state.instructions - before,
    rollback: ({ memory }) => {
      memory.rollback([log], { preSave: 'updated' });
      board.load(context);
    },
  };
}

function compare([interpreted, translated]: readonly [Board, Board], begun: readonly Begun[]): void {
  const [expected, actual] = [interpreted, translated].map((board, which) =>
    outcomeOf(board, begun[which]?.stop ?? Stop.LIMIT),
  );
  expect(actual).toEqual(expected);
}
