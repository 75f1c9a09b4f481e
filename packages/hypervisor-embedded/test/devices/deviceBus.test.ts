import { describe, expect, it } from 'vitest';
import { ACCESS_FAULT } from '../../src/devices/deviceBus.js';
import { Stop } from '../../src/hart/processor.js';
import { Assembler } from '../assembler.js';
import { boardWith, RAM, TestBoard } from '../testBoard.js';

const CLINT = 0x0200_0000;
const UART = 0x1000_0000;
const FINISHER = 0x0010_0000;

/** Whether the device bus takes a load and a store of each width at an address. */
function widths(address: number): { loads: number[]; stores: number[] } {
  const board = (): TestBoard => new TestBoard();
  return {
    loads: [1, 2, 4].filter((width) => board().devices.load(address, width, 0) !== ACCESS_FAULT),
    stores: [1, 2, 4].filter((width) => board().devices.store(address, width, 0, 0)),
  };
}

describe('the device bus', () => {
  it.each([
    ['msip', CLINT, [4]],
    ['a gap of the CLINT', CLINT + 0x3ffc, [4]],
    ['mtimecmp', CLINT + 0x4000, [4]],
    ['the upper half of mtime', CLINT + 0xbffc, [4]],
    ['behind the CLINT', CLINT + 0xc000, []],
    ['a misaligned word of the CLINT', CLINT + 0x4002, []],
    ['the first register of the UART', UART, [1, 2, 4]],
    ['its second, where only bytes are aligned', UART + 1, [1]],
    ['its last', UART + 7, [1]],
    ['behind the UART', UART + 8, []],
    ['before the UART', UART - 4, []],
    ['the finisher', FINISHER, [2, 4]],
    ['the rest of the finisher', FINISHER + 0xffc, [2, 4]],
    ['behind the finisher', FINISHER + 0x1000, []],
    ['address zero', 0, []],
    ['the interrupt controller that is not there', 0x0c00_0000, []],
  ])('takes at %s the widths that QEMU does', (_, address, expected) => {
    expect(widths(address)).toEqual({ loads: expected, stores: expected });
  });

  it('has the guest fault, at the address, where nothing answers', () => {
    const board = boardWith((program) => program.load('lb', 'a1', 'a0')).set('a0', CLINT + 0xbff8);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval')]).toEqual([5, CLINT + 0xbff8]);
    const storing = boardWith((program) => program.store('sw', 'a1', 'a0')).set('a0', UART + 2);
    expect(storing.step()).toBe(Stop.EXCEPTION);
    expect([storing.x('mcause'), storing.x('mtval'), storing.written]).toEqual([7, UART + 2, []]);
  });

  it('gives the guest the value with the sign that its load asks for', () => {
    const board = boardWith((program) => {
      program
        .load('lb', 'a1', 'a0', 7)
        .load('lbu', 'a2', 'a0', 7)
        .load('lh', 'a3', 'a0', 6)
        .load('lw', 'a4', 'a5');
    });
    board.uart.write(7, 0x9c, 0);
    board.clint.write(0x4000, 0x8765_4321, 0);
    board
      .set('a0', UART)
      .set('a5', CLINT + 0x4000)
      .processor.run(4);
    // A halfword or word of the UART is the one register addressed, here MSR.
    expect(['a1', 'a2', 'a3', 'a4'].map((name) => board.x(name))).toEqual([
      0xffff_ff9c, 0x9c, 0xb0, 0x8765_4321,
    ]);
  });

  it('lets the guest print, whatever the width of the store', () => {
    const board = boardWith((program) =>
      program.store('sb', 'a1', 'a0').store('sh', 'a1', 'a0').store('sw', 'a1', 'a0'),
    );
    board.set('a0', UART).set('a1', 0x1234_5678).processor.run(3);
    expect(board.written).toEqual([0x78, 0x78, 0x78]);
  });

  it('lets the guest read input that arrives at its cycle', () => {
    const board = boardWith(
      (program) => {
        program
          .label('poll')
          .load('lbu', 't0', 'a0', 5)
          .imm('andi', 't0', 't0', 1)
          .branch('beq', 't0', 'zero', 'poll');
        program.load('lbu', 'a1', 'a0').csrr('a2', 0xc00).label('end').jump('end');
      },
      { input: [[100, 0x7a]] },
    );
    board.set('a0', UART).runTo(200);
    // The loop takes three cycles; its load at cycle 102 is the first to see the byte.
    expect([board.x('a1'), board.x('a2')]).toEqual([0x7a, 106]);
  });

  it('reads mtime at the cycle of the load', () => {
    const board = boardWith((program) => {
      for (let count = 0; count < 9; count += 1) program.nop();
      program.load('lw', 'a1', 'a0').load('lw', 'a2', 'a0');
    });
    board.set('a0', CLINT + 0xbff8).runTo(11);
    expect([board.x('a1'), board.x('a2')]).toEqual([0, 1]);
  });
});

describe('the finisher', () => {
  const finish = (operation: 'sh' | 'sw', value: number, offset = 0): TestBoard => {
    const board = boardWith((program) => program.store(operation, 'a1', 'a0', offset).addi('a2', 'zero', 1));
    return board.set('a0', FINISHER).set('a1', value);
  };

  it.each([
    ['passes', 'sw', 0x5555, 0],
    ['passes, whatever stands in the upper half', 'sw', 0x0007_5555, 0],
    ['passes by a halfword', 'sh', 0x5555, 0],
    ['fails with a code', 'sw', 0x002a_3333, 42],
    ['fails with the largest code', 'sw', 0xffff_3333, 0xffff],
    ['fails without a code by a halfword', 'sh', 0x002a_3333, 0],
  ] as const)('%s', (_, operation, value, code) => {
    const board = finish(operation, value);
    expect(board.processor.run(100)).toBe(Stop.EXITED);
    expect([board.state.exited, board.state.exitCode, board.state.cycles, board.x('pc')]).toEqual([
      true,
      code,
      1,
      RAM + 4,
    ]);
    expect(board.processor.run(100)).toBe(Stop.EXITED);
    expect([board.state.cycles, board.x('a2')]).toEqual([1, 0]);
    expect(board.copy().processor.run(100)).toBe(Stop.EXITED);
  });

  it('ignores other values, other addresses, and reads as zero', () => {
    for (const board of [
      finish('sw', 0x7777),
      finish('sw', 0),
      finish('sw', 0x5555, 4),
      finish('sh', 0x5555, 2),
    ]) {
      expect(board.processor.run(2)).toBe(Stop.LIMIT);
      expect([board.state.exited, board.x('a2')]).toEqual([false, 1]);
    }
    expect(new TestBoard().load(new Assembler().nop()).devices.load(FINISHER, 4, 0)).toBe(0);
  });
});
