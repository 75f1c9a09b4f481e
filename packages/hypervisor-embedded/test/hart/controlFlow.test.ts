import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import type { BranchOperation } from '../assembler.js';
import { Assembler } from '../assembler.js';
import { boardWith, CORNERS, RAM, TestBoard } from '../testBoard.js';

const TAKEN: readonly [BranchOperation, (a: bigint, b: bigint) => boolean][] = [
  ['beq', (a, b) => a === b],
  ['bne', (a, b) => a !== b],
  ['blt', (a, b) => BigInt.asIntN(32, a) < BigInt.asIntN(32, b)],
  ['bge', (a, b) => BigInt.asIntN(32, a) >= BigInt.asIntN(32, b)],
  ['bltu', (a, b) => a < b],
  ['bgeu', (a, b) => a >= b],
];

/** A board about to execute a program in the middle of its RAM. */
const MIDDLE = RAM + 0x2000;
function boardInTheMiddle(build: (program: Assembler) => void): TestBoard {
  const program = new Assembler(MIDDLE);
  build(program);
  return new TestBoard().load(program).set('pc', MIDDLE).set('mtvec', RAM);
}

describe.each(TAKEN)('%s', (operation, taken) => {
  it('branches as its operands compare', () => {
    for (const a of CORNERS) {
      for (const b of CORNERS) {
        const board = boardInTheMiddle((program) => program.branch(operation, 'a0', 'a1', -64));
        board.set('a0', a).set('a1', b);
        expect(board.step()).toBe(Stop.LIMIT);
        const expected = taken(BigInt(a), BigInt(b)) ? MIDDLE - 64 : MIDDLE + 4;
        expect(board.x('pc'), `${operation} of ${a} and ${b}`).toBe(expected);
      }
    }
  });
});

describe('branch distances', () => {
  it.each([-4096, -2052, -2048, -64, -4, 4, 8, 32, 1024, 2044, 2048, 2052, 4092])('reach %i', (distance) => {
    const board = boardInTheMiddle((program) => program.branch('beq', 'zero', 'zero', distance));
    board.step();
    expect(board.x('pc')).toBe(MIDDLE + distance);
  });
});

describe('JAL', () => {
  it.each([-0x100000, -0x80000, -4096, -4, 4, 0x7fc, 0x800, 0x1000, 0xff000, 0xffffc])(
    'reaches %i and links',
    (distance) => {
      const board = boardInTheMiddle((program) => program.jal('ra', distance));
      expect(board.step()).toBe(Stop.LIMIT);
      expect([board.x('pc'), board.x('ra')]).toEqual([MIDDLE + distance, MIDDLE + 4]);
    },
  );
});

describe('JALR', () => {
  it.each([-2048, -4, 0, 4, 2044])('jumps to its register and %i', (distance) => {
    const board = boardInTheMiddle((program) => program.jalr('ra', 'a0', distance)).set('a0', RAM + 0x1000);
    expect(board.step()).toBe(Stop.LIMIT);
    expect([board.x('pc'), board.x('ra')]).toEqual([RAM + 0x1000 + distance, MIDDLE + 4]);
  });

  it('clears the lowest bit of the target', () => {
    const board = boardInTheMiddle((program) => program.jalr('ra', 'a0', 1)).set('a0', RAM + 0x1000);
    board.step();
    expect(board.x('pc')).toBe(RAM + 0x1000);
  });

  it('reads its source before it links, where they are one', () => {
    const board = boardInTheMiddle((program) => program.jalr('ra', 'ra', 8)).set('ra', RAM + 0x1000);
    board.step();
    expect([board.x('pc'), board.x('ra')]).toEqual([RAM + 0x1008, MIDDLE + 4]);
  });
});

describe('a jump to an odd half word', () => {
  const jumps: [string, (program: Assembler) => void][] = [
    ['JAL', (program) => program.jal('ra', 6)],
    ['JALR', (program) => program.jalr('ra', 'a0', 7)],
    ['a taken branch', (program) => program.branch('bne', 'a0', 'zero', 6)],
  ];
  it.each(jumps)('by %s is like any other, since instructions of 16 bits can lie there', (_, build) => {
    const board = boardInTheMiddle(build).set('a0', MIDDLE);
    expect(board.step()).toBe(Stop.LIMIT);
    expect(board.x('pc')).toBe(MIDDLE + 6);
  });
});

describe('an instruction fetch outside RAM', () => {
  it.each([0, 0x1000, 0x0200_0000, 0x1000_0000, RAM - 4, RAM + 4 * 4096, 0xfffffffc])(
    'faults at %i',
    (target) => {
      const board = boardWith((program) => program.jalr('ra', 'a0'))
        .set('a0', target)
        .set('mtvec', RAM + 0x100);
      expect(board.step()).toBe(Stop.LIMIT);
      expect([board.x('pc'), board.x('ra')]).toEqual([target, RAM + 4]);
      expect(board.step()).toBe(Stop.EXCEPTION);
      expect([board.x('mcause'), board.x('mepc'), board.x('mtval'), board.x('pc')]).toEqual([
        1,
        target,
        target,
        RAM + 0x100,
      ]);
    },
  );

  it('comes after the last instruction of RAM', () => {
    const last = RAM + 4 * 4096 - 4;
    const board = new TestBoard()
      .load(new Assembler(last).addi('a0', 'zero', 1))
      .set('pc', last)
      .set('mtvec', RAM);
    expect(board.processor.run(2)).toBe(Stop.EXCEPTION);
    expect([board.x('a0'), board.x('mcause'), board.x('mepc')]).toEqual([1, 1, last + 4]);
    expect([board.state.cycles, board.state.instructions, board.state.exceptions]).toEqual([2, 1, 1]);
  });

  it('of the trap handler goes on forever, but lets time pass', () => {
    const board = new TestBoard().set('mtvec', 0x4000).set('pc', 0x4000);
    expect(board.runTo(1000)).toBe(Stop.LIMIT);
    expect([board.state.cycles, board.state.exceptions, board.state.instructions]).toEqual([1000, 1000, 0]);
    expect([board.x('mcause'), board.x('mepc')]).toEqual([1, 0x4000]);
  });
});
