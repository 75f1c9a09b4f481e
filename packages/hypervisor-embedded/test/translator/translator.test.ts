import { onDiagnostic, type Diagnostic } from '@rmk/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Board } from '../../src/board.js';
import { readRegister, writeRegister } from '../../src/hart/registers.js';
import { WebAssembly } from '../../src/webAssembly.js';
import type { TranslatorOptions } from '../../src/translator/translator.js';
import { Assembler, CSR } from '../assembler.js';
import { PAGE, RAM } from '../testBoard.js';
import { boardWith, translatorOf } from './translatedBoard.js';

const NO_PRESAVE = { preSave: 'none' } as const;

function x(board: Board, name: string): number {
  return Number(readRegister(board.state, name));
}

/** Counts a0 up forever. */
function counting(program: Assembler): void {
  program.label('loop').addi('a0', 'a0', 1).jump('loop');
}

/** A loop that goes through blocks, over and over, that nothing but a computed address leads to. */
function blocksOfATable(): Board {
  const blocks = 32;
  const board = boardWith((program) => {
    program
      .jump('loop')
      .label('loop')
      .addi('a0', 'a0', 1)
      .imm('addi', 'a1', 'a1', 8)
      .imm('andi', 'a1', 'a1', 8 * blocks - 1);
    program.op('or', 'a3', 'a1', 'a4').jalr('zero', 'a3', 0);
  });
  const word = new Assembler(RAM).jalr('zero', 'a2', 0).words()[0] ?? 0;
  board.memory.write(PAGE, new Uint8Array(new Uint32Array(2 * blocks).fill(word).buffer));
  writeRegister(board.state, 'a4', BigInt(RAM + PAGE));
  writeRegister(board.state, 'a2', BigInt(RAM + 4));
  return board;
}

/** The word of `addi a0, a0, immediate`. */
function addition(immediate: number): number {
  return ((immediate << 20) | (10 << 15) | (10 << 7) | 0x13) >>> 0;
}

describe('Translator', () => {
  it('ends at the very instruction that it was asked for', () => {
    const board = boardWith(counting);
    for (const cycles of [1, 2, 3, 1000, 1001, 12_345]) {
      board.processor.run(cycles);
      expect(board.state.cycles).toBe(cycles);
      expect(x(board, 'a0')).toBe(Math.ceil(cycles / 2));
    }
    expect(translatorOf(board).statistics.translated).toBeGreaterThan(12_000);
  });

  it('leaves code that is executed seldom to the interpreter', () => {
    const board = boardWith(counting, { hotVisits: 100 });
    board.processor.run(99);
    expect(translatorOf(board).statistics).toMatchObject({ translations: 0, translated: 0 });
    board.processor.run(1000);
    expect(translatorOf(board).statistics.translations).toBeGreaterThan(0);
  });

  it('executes what the guest has written over its code, from the next instruction on', () => {
    const board = boardWith((program) => {
      program.li('a1', addition(100)).auipc('a2', 0).label('loop');
      program.addi('a0', 'a0', 1).addi('a3', 'a3', 1).branch('blt', 'a3', 'a4', 'loop');
      program.store('sw', 'a1', 'a2', 4).jump('loop');
    });
    writeRegister(board.state, 'a4', 50n);
    board.processor.run(2 + 1 + 3 * 50);
    expect(x(board, 'a0')).toBe(50);
    board.processor.run(board.state.cycles + 2 + 3);
    expect(x(board, 'a0')).toBe(150);
    expect(translatorOf(board).statistics.invalidations).toBeGreaterThan(0);
  });

  it('executes what the host has written over the code', () => {
    const board = boardWith(counting);
    board.processor.run(1000);
    board.memory.write(0, new Uint8Array(Uint32Array.of(addition(2)).buffer));
    board.processor.run(2000);
    expect(x(board, 'a0')).toBe(500 + 1000);
  });

  it('executes the code that a rollback has brought back', () => {
    const board = boardWith(counting);
    const { log } = board.memory.nextEpoch(NO_PRESAVE);
    board.memory.write(0, new Uint8Array(Uint32Array.of(addition(7)).buffer));
    board.processor.run(1000);
    expect(x(board, 'a0')).toBe(3500);
    board.memory.rollback([log], NO_PRESAVE);
    board.processor.run(2000);
    expect(x(board, 'a0')).toBe(3500 + 500);
  });

  /** Counts a0 up, and stores it. */
  const storing = (program: Assembler): void => {
    program
      .li('a1', RAM + 8 * PAGE)
      .label('loop')
      .addi('a0', 'a0', 1)
      .store('sw', 'a0', 'a1')
      .jump('loop');
  };
  const started = (board: Board): void => {
    board.state.pc = RAM | 0;
  };

  it.each([
    {
      change: 'a restart',
      make: (board: Board) => {
        const program = board.memory.u8.slice(0, 64);
        return () => {
          board.memory.reset();
          board.memory.write(0, program);
          started(board);
        };
      },
    },
    {
      change: 'a snapshot that is loaded',
      make: (board: Board) => {
        const page = board.memory.u8.slice(0, PAGE);
        return () => board.memory.load([page]);
      },
    },
    {
      change: 'a rollback of its page',
      make: (board: Board) => () => {
        const { log } = board.memory.nextEpoch(NO_PRESAVE);
        board.memory.write(0x800, Uint8Array.of(1));
        board.processor.run(board.state.cycles + 1000);
        const undone = board.memory.rollback([log], NO_PRESAVE);
        for (const spent of [log, undone.log]) board.memory.area.release(spent);
      },
    },
    {
      change: 'a flipped bit in its page',
      make: (board: Board) => () => board.memory.flipBit(0x800, 0),
    },
    {
      change: 'a bit of its code that is flipped and set right',
      make: (board: Board) => () => {
        board.memory.flipBit(12, 20);
        board.processor.run(board.state.cycles + 50);
        board.memory.flipBit(12, 20);
        started(board);
      },
    },
  ])('uses its translation again after $change, however often', ({ make }) => {
    const board = boardWith(storing, { hotVisits: 100 });
    const change = make(board);
    board.processor.run(1000);
    const { translations } = translatorOf(board).statistics;
    for (let time = 0; time < 200; time += 1) {
      change();
      board.processor.run(board.state.cycles + 1000);
    }
    const { translated } = translatorOf(board).statistics;
    change();
    board.processor.run(board.state.cycles + 1000);
    expect(translatorOf(board).statistics.translated - translated).toBeGreaterThan(900);
    expect([translations, translatorOf(board).statistics.translations]).toEqual([1, 1]);
  });

  it('keeps translations of both codes where a rollback brings back the other', () => {
    const board = boardWith(counting, { hotVisits: 4 });
    const { log } = board.memory.nextEpoch(NO_PRESAVE);
    let count = 0;
    const logs = [log];
    for (let time = 0; time < 100; time += 1) {
      board.processor.run(board.state.cycles + 1000);
      count += 500;
      board.memory.write(0, new Uint8Array(Uint32Array.of(addition(7)).buffer));
      board.processor.run(board.state.cycles + 1000);
      count += 3500;
      const { log: next } = board.memory.rollback(logs, NO_PRESAVE);
      for (const spent of logs.splice(0, 1, next)) board.memory.area.release(spent);
    }
    expect(x(board, 'a0')).toBe(count);
    expect(translatorOf(board).statistics.translations).toBe(2);
  });

  it('captures a page before the first store of translated code to it, once an epoch', () => {
    const board = boardWith((program) => {
      program
        .li('a1', RAM + 8 * PAGE)
        .label('loop')
        .addi('a0', 'a0', 1)
        .store('sw', 'a0', 'a1')
        .jump('loop');
    });
    board.memory.nextEpoch(NO_PRESAVE);
    board.processor.run(3000);
    expect([...board.memory.takeFaulted()]).toEqual([8]);
    board.processor.run(6000);
    expect([...board.memory.takeFaulted()]).toEqual([]);
    const { closed } = board.memory.nextEpoch(NO_PRESAVE);
    expect(closed).toMatchObject({ pageFaults: 1, pagesSaved: 1 });
    board.processor.run(9000);
    expect([...board.memory.takeFaulted()]).toEqual([8]);
  });

  it('gives up on a page whose code is rewritten again and again', () => {
    const board = boardWith((program) => {
      program.li('a1', addition(1)).auipc('a2', 0).label('loop');
      program.addi('a0', 'a0', 1).store('sw', 'a1', 'a2', 4).jump('loop');
    });
    board.processor.run(30_000);
    const { translations, invalidations } = translatorOf(board).statistics;
    board.processor.run(60_000);
    expect(translatorOf(board).statistics).toMatchObject({ translations, invalidations });
    expect(x(board, 'a0')).toBe(Math.ceil((60_000 - 2 - 1) / 3));
  });

  it.each([
    { after: 'a restart', forget: ({ memory }: Board) => memory.reset() },
    {
      after: 'a loaded snapshot',
      forget: ({ memory }: Board) => memory.load(Array.from({ length: 16 }, () => undefined)),
    },
  ])('tries a page again whose code was rewritten, after $after', ({ forget }) => {
    const rewriting = (program: Assembler): void => {
      program.li('a1', addition(1)).auipc('a2', 0).label('loop');
      program.addi('a0', 'a0', 1).store('sw', 'a1', 'a2', 4).jump('loop');
    };
    const board = boardWith(rewriting);
    board.processor.run(30_000);
    forget(board);
    board.memory.write(0, new Uint8Array(new Assembler(RAM).addi('a0', 'a0', 1).jump(-4).words().buffer));
    board.state.pc = RAM | 0;
    const { translated } = translatorOf(board).statistics;
    board.processor.run(board.state.cycles + 10_000);
    expect(translatorOf(board).statistics.translated - translated).toBeGreaterThan(9000);
  });

  it('lets a region grow by the places that it leads to, many at a time, once it has run for long', () => {
    const board = blocksOfATable();
    // The loop has 5 instructions, which take 5000 of the guest to pay.
    board.processor.run(3601);
    expect(translatorOf(board).statistics).toMatchObject({ translations: 1, regions: 1 });
    board.processor.run(60_001);
    const { translations, regions, translated } = translatorOf(board).statistics;
    expect([translations, regions]).toEqual([2, 1]);
    board.processor.run(66_001);
    expect(translatorOf(board).statistics.translated).toBeGreaterThan(translated + 5900);
    expect(x(board, 'a0')).toBe(66_000 / 6);
  });

  it('keeps a bounded number of regions', () => {
    // Loops that nothing but the trap handler leads to, so that each becomes a region of its own.
    const loops = 40;
    const board = boardWith(
      (program) => {
        for (let loop = 0; loop < loops; loop += 1) {
          program.addi('a1', 'zero', 20).label(`loop ${loop}`).addi('a0', 'a0', 1).addi('a1', 'a1', -1);
          program.branch('bne', 'a1', 'zero', `loop ${loop}`).ecall().word(0, 0, 0);
        }
      },
      { maxRegions: 8 },
    );
    writeRegister(board.state, 'mtvec', BigInt(RAM + 8 * PAGE));
    const handler = new Assembler(RAM + 8 * PAGE);
    handler.csrr('t0', CSR.mepc).addi('t0', 't0', 16).csrw(CSR.mepc, 't0').mret();
    board.memory.write(8 * PAGE, new Uint8Array(handler.words().buffer));
    // One loop, its trap and the handler take 66 cycles.
    for (let cycle = 0; cycle < 66 * loops; cycle += 10) board.processor.run(cycle);
    expect(x(board, 'a0')).toBeGreaterThan(19 * loops);
    const { translations, regions } = translatorOf(board).statistics;
    expect(translations).toBeGreaterThan(loops / 2);
    expect(regions).toBeLessThanOrEqual(8);
  });

  const byItself: readonly (readonly [string, (program: Assembler) => unknown])[] = [
    ['orc.b', (program) => program.unary('orc.b', 'a1', 'a0')],
    ['rev8', (program) => program.unary('rev8', 'a1', 'a0')],
    ['an atomic operation', (program) => program.atomic('amoadd', 'a1', 'a0', 's0')],
    ['a read of a CSR', (program) => program.csrr('a1', CSR.cycle)],
  ];

  it.each(byItself)('translates a loop that begins with %s', (_, instruction) => {
    const board = boardWith((program) => {
      program.label('loop');
      instruction(program);
      program.addi('a0', 'a0', 1).jump('loop');
    });
    writeRegister(board.state, 's0', BigInt(RAM + 2 * PAGE));
    board.processor.run(30_000);
    expect(x(board, 'a0')).toBe(10_000);
    expect(translatorOf(board).statistics.translated).toBeGreaterThan(29_900);
  });

  it('distinguishes data from code that lies in the same page', () => {
    const board = boardWith((program) => {
      program.auipc('a2', 0).label('loop').addi('a0', 'a0', 1).store('sw', 'a0', 'a2', 512).jump('loop');
    });
    board.processor.run(30_001);
    expect(translatorOf(board).statistics).toMatchObject({ translations: 1, invalidations: 0 });
    expect(board.memory.i32[128]).toBe(10_000);
    expect(translatorOf(board).statistics.translated).toBeGreaterThan(29_000);
  });
});

describe('Code that the engine does not compile', () => {
  /** The diagnostics from here on. */
  function diagnosed(): readonly Diagnostic[] {
    const all: Diagnostic[] = [];
    const subscription = onDiagnostic((diagnostic) => void all.push(diagnostic));
    onTestFinished(() => subscription[Symbol.dispose]());
    return all;
  }

  function refuseToCompile() {
    const compile = vi.spyOn(WebAssembly, 'Module').mockImplementation(function () {
      throw new RangeError('out of memory');
    });
    onTestFinished(() => compile.mockRestore());
    return compile;
  }

  /** Long enough for every compilation to be asked for. */
  function runOn(board: Board): void {
    board.processor.run(board.state.cycles + 20_000);
  }

  it('is interpreted, compiled in vain once, and reported once', () => {
    const diagnostics = diagnosed();
    const board = boardWith(counting);
    const compile = refuseToCompile();
    runOn(board);
    expect(translatorOf(board).statistics.translated).toBe(0);
    expect(x(board, 'a0')).toBe(board.state.cycles / 2);
    expect(compile).toHaveBeenCalledTimes(1);
    board.memory.write(0, new Uint8Array(Uint32Array.of(addition(1)).buffer));
    runOn(board);
    expect(compile, 'once more for code that was written to').toHaveBeenCalledTimes(2);
    expect(diagnostics.map(({ concern, message }) => [concern, message])).toEqual([
      ['hypervisor', 'guest code could not be compiled, and is interpreted: out of memory'],
    ]);
  });

  const jumping = (flipped: number) => (program: Assembler) => {
    program.label('loop').addi('a0', 'a0', 1).addi('a3', 'a3', 1).imm('xori', 'a1', 'a1', flipped);
    program.jalr('zero', 'a1', 0);
  };

  it.each([
    // The loop can be entered in its middle, too.
    { grows: 'by a place in itself', pc: RAM, from: RAM + 4, flipped: 4, compilations: 2 },
    // Two blocks take turns: both are asked for at once.
    { grows: 'by two other places', pc: RAM + PAGE, from: RAM + PAGE, flipped: 8, compilations: 2 },
  ])('does not harm a region that would grow $grows', ({ pc, from, flipped, compilations }) => {
    const boardOf = (options: TranslatorOptions): Board => {
      const board = boardWith(jumping(flipped), options);
      const back = new Assembler(RAM).jalr('zero', 'a2', 0).words()[0] ?? 0;
      board.memory.write(PAGE, new Uint8Array(new Uint32Array(4).fill(back).buffer));
      writeRegister(board.state, 'a1', BigInt(from));
      writeRegister(board.state, 'a2', BigInt(RAM));
      board.state.pc = pc | 0;
      return board;
    };
    const board = boardOf({});
    const interpreted = boardOf({ hotVisits: Infinity });
    const { Module } = WebAssembly;
    const compiling = refuseToCompile().mockImplementationOnce(function (bytes) {
      return new Module(bytes);
    });
    while (compiling.mock.calls.length === 0) board.processor.run(board.state.cycles + 1);
    const diagnostics = diagnosed();
    runOn(board);
    expect(diagnostics).toHaveLength(1);
    expect(compiling).toHaveBeenCalledTimes(compilations);
    const { translated } = translatorOf(board).statistics;
    runOn(board);
    expect(translatorOf(board).statistics.translated).toBeGreaterThan(translated);
    expect(compiling, 'no more than before').toHaveBeenCalledTimes(compilations);
    interpreted.processor.run(board.state.cycles);
    for (const register of ['a0', 'a1', 'a3']) expect(x(board, register)).toBe(x(interpreted, register));
  });
});
