import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import { Assembler, CSR, type CsrOperation } from '../assembler.js';
import { boardWith, RAM } from '../testBoard.js';

/** Writes all ones and then all zeros to a CSR, and gives what it reads after each. */
function writableBits(number: number): [ones: number, zeros: number] {
  const board = boardWith((program) => {
    program.csrw(number, 'a0').csrr('a1', number).csrw(number, 'zero').csrr('a2', number);
  }).set('a0', 0xffffffff);
  expect(board.processor.run(4), number.toString(16)).toBe(Stop.LIMIT);
  return [board.x('a1'), board.x('a2')];
}

function isIllegal(
  number: number,
  privilege: 0 | 3,
  operation: CsrOperation = 'csrrs',
  rs1 = 'zero',
): boolean {
  const board = boardWith((program) => program.csr(operation, 'a1', number, rs1));
  const [word] = new Assembler().csr(operation, 'a1', number, rs1).words();
  board.set('privilege', privilege).set('a1', 0x77);
  const stop = board.step();
  if (stop === Stop.LIMIT) return false;
  // An illegal access changes nothing and says which instruction it was.
  expect([stop, board.x('mcause'), board.x('mtval'), board.x('a1')]).toEqual([Stop.EXCEPTION, 2, word, 0x77]);
  return true;
}

/** Every CSR that the hart has, by the specification, with the bits that software can set in it. */
const MACHINE_CSRS = new Map<number, number>([
  [CSR.mstatus, 0x0022_1888],
  [CSR.misa, 0],
  [CSR.mie, 0x888],
  [CSR.mtvec, 0xfffffffd],
  [CSR.mcounteren, 7],
  [CSR.menvcfg, 0],
  [0x31a, 0],
  [CSR.mstatush, 0],
  [CSR.mcountinhibit, 0],
  [CSR.mscratch, 0xffffffff],
  [CSR.mepc, 0xfffffffe],
  [CSR.mcause, 0xffffffff],
  [CSR.mtval, 0xffffffff],
  [CSR.mip, 0],
  ...range(0x323, 0x33f),
  ...range(0x3a0, 0x3af),
  ...range(0x3b0, 0x3ef),
  ...range(0xb03, 0xb1f),
  ...range(0xb83, 0xb9f),
]);
const COUNTERS = [CSR.mcycle, CSR.mcycleh, CSR.minstret, CSR.minstreth];
const READ_ONLY = [
  CSR.cycle,
  CSR.time,
  CSR.instret,
  CSR.cycleh,
  CSR.timeh,
  CSR.instreth,
  ...range(0xc03, 0xc1f).map(([number]) => number),
  ...range(0xc83, 0xc9f).map(([number]) => number),
  ...range(0xf11, 0xf15).map(([number]) => number),
];

function range(first: number, last: number): [number: number, writable: number][] {
  return Array.from({ length: last - first + 1 }, (_, index) => [first + index, 0]);
}

describe('the control and status registers', () => {
  it('are those of the specification, and no others', () => {
    const present = new Set([...MACHINE_CSRS.keys(), ...COUNTERS, ...READ_ONLY]);
    for (let number = 0; number < 4096; number += 1) {
      expect(isIllegal(number, 3), number.toString(16)).toBe(!present.has(number));
    }
  });

  it('take the bits that their fields have', () => {
    for (const [number, writable] of MACHINE_CSRS) {
      if (number === CSR.misa || number === CSR.mtvec) continue;
      expect(writableBits(number), number.toString(16)).toEqual([writable, 0]);
    }
  });

  it('refuse writes to the read-only ones, and only writes', () => {
    for (const number of READ_ONLY) {
      expect(isIllegal(number, 3, 'csrrw', 'zero')).toBe(true);
      expect(isIllegal(number, 3, 'csrrs', 'a1')).toBe(true);
      expect(isIllegal(number, 3, 'csrrc', 'a1')).toBe(true);
      expect(isIllegal(number, 3, 'csrrs', 'zero')).toBe(false);
      expect(isIllegal(number, 3, 'csrrc', 'zero')).toBe(false);
    }
  });

  it('are out of reach for user mode, but for the counters that mcounteren allows', () => {
    for (let number = 0; number < 4096; number += 1) {
      expect(isIllegal(number, 0), number.toString(16)).toBe(true);
    }
    const allowed = (number: number, mcounteren: number): boolean => {
      const board = boardWith((program) => program.csrr('a0', number));
      return board.set('mcounteren', mcounteren).set('privilege', 0).step() === Stop.LIMIT;
    };
    for (const [bit, low, high] of [
      [1, CSR.cycle, CSR.cycleh],
      [2, CSR.time, CSR.timeh],
      [4, CSR.instret, CSR.instreth],
    ] as const) {
      expect([allowed(low, bit), allowed(high, bit)]).toEqual([true, true]);
      expect([allowed(low, 7 ^ bit), allowed(high, 7 ^ bit)]).toEqual([false, false]);
    }
    expect(allowed(0xc03, 0xffffffff)).toBe(false);
  });

  it('say what the hart is', () => {
    const board = boardWith((program) => {
      program
        .csrr('a0', CSR.misa)
        .csrr('a1', CSR.mhartid)
        .csrr('a2', CSR.mvendorid)
        .csrr('a3', 0xf12)
        .csrr('a4', 0xf13);
    });
    board.processor.run(5);
    // A, B, C, I, M and U; 2^30 stands for 32 bits.
    const extensions = [0, 1, 2, 8, 12, 20].reduce((sum, bit) => sum + 2 ** bit, 0);
    expect(board.x('a0')).toBe(2 ** 30 + extensions);
    expect(['a1', 'a2', 'a3', 'a4'].map((name) => board.x(name))).toEqual([0, 0, 0, 0]);
  });
});

describe('fields that take only some values', () => {
  it('mtvec keeps its value when a reserved mode is written', () => {
    for (const [written, kept] of [
      [0x8000_0101, 0x8000_0101],
      [0x8000_0200, 0x8000_0200],
      [0x8000_0302, 0x8000_0040],
      [0x8000_0303, 0x8000_0040],
    ] as const) {
      const board = boardWith((program) => program.csrw(CSR.mtvec, 'a0'))
        .set('mtvec', 0x8000_0040)
        .set('a0', written);
      board.step();
      expect(board.x('mtvec')).toBe(kept);
    }
  });

  it('mstatus.MPP keeps its value when a mode that the hart lacks is written', () => {
    for (const [before, written, kept] of [
      [0, 3, 3],
      [3, 0, 0],
      [3, 1, 3],
      [3, 2, 3],
      [0, 1, 0],
      [0, 2, 0],
    ] as const) {
      const board = boardWith((program) => program.csrw(CSR.mstatus, 'a0'));
      board
        .set('mstatus', before << 11)
        .set('a0', written << 11)
        .step();
      expect(board.x('mstatus') >>> 11).toBe(kept);
    }
  });
});

describe.each(['csrrw', 'csrrs', 'csrrc'] as const)('%s', (operation) => {
  const combined = (before: number, source: number): number =>
    (operation === 'csrrw' ? source : operation === 'csrrs' ? before | source : before & ~source) >>> 0;

  it('gives the old value and writes the new one', () => {
    const board = boardWith((program) => program.csr(operation, 'a0', CSR.mscratch, 'a1'));
    board.set('mscratch', 0xf0f0_1234).set('a1', 0xff00_ff00).step();
    expect([board.x('a0'), board.x('mscratch')]).toEqual([0xf0f0_1234, combined(0xf0f0_1234, 0xff00_ff00)]);
  });

  it('swaps where source and destination are one register', () => {
    const board = boardWith((program) => program.csr(operation, 'a0', CSR.mscratch, 'a0'));
    board.set('mscratch', 0xf0f0_1234).set('a0', 0xff00_ff00).step();
    expect([board.x('a0'), board.x('mscratch')]).toEqual([0xf0f0_1234, combined(0xf0f0_1234, 0xff00_ff00)]);
  });

  it('takes an immediate without a sign', () => {
    const board = boardWith((program) => program.csrImmediate(operation, 'a0', CSR.mscratch, 0b11010));
    board.set('mscratch', 0xf0f0_1234).step();
    expect([board.x('a0'), board.x('mscratch')]).toEqual([0xf0f0_1234, combined(0xf0f0_1234, 0b11010)]);
  });

  it('writes from x0 only as CSRRW', () => {
    for (const immediate of [false, true]) {
      const board = boardWith((program) => {
        if (immediate) program.csrImmediate(operation, 'a0', CSR.mscratch, 0);
        else program.csr(operation, 'a0', CSR.mscratch, 'zero');
      });
      board.set('mscratch', 0x1234).step();
      expect(board.x('mscratch')).toBe(operation === 'csrrw' ? 0 : 0x1234);
    }
  });

  it('writes from another register even when that holds zero', () => {
    expect(isIllegal(CSR.cycle, 3, operation, 'a3')).toBe(true);
  });
});

describe('a CSR write that is not allowed', () => {
  it('has no effect at all', () => {
    const board = boardWith((program) => program.csr('csrrw', 'a0', CSR.mscratch, 'a1'));
    board
      .set('mscratch', 1)
      .set('a0', 2)
      .set('a1', 3)
      .set('privilege', 0)
      .set('mtvec', RAM + 0x40);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mscratch'), board.x('a0')]).toEqual([1, 2]);
  });
});
