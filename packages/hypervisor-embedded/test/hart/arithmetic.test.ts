import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import {
  Assembler,
  type ImmediateOperation,
  type RegisterOperation,
  type ShiftOperation,
} from '../assembler.js';
import { boardWith, CORNERS, RAM, TestBoard } from '../testBoard.js';

const signed = (value: number): bigint => BigInt.asIntN(32, BigInt(value));
const unsigned = (value: number): bigint => BigInt.asUintN(32, BigInt(value));

/** The specification in BigInt, with none of the tricks that 32-bit arithmetic in doubles needs. */
const EXPECTED = new Map<RegisterOperation, (a: number, b: number) => bigint>([
  ['add', (a, b) => unsigned(a) + unsigned(b)],
  ['sub', (a, b) => unsigned(a) - unsigned(b)],
  ['sll', (a, b) => unsigned(a) << (unsigned(b) % 32n)],
  ['slt', (a, b) => (signed(a) < signed(b) ? 1n : 0n)],
  ['sltu', (a, b) => (unsigned(a) < unsigned(b) ? 1n : 0n)],
  ['xor', (a, b) => unsigned(a) ^ unsigned(b)],
  ['srl', (a, b) => unsigned(a) >> (unsigned(b) % 32n)],
  ['sra', (a, b) => signed(a) >> (unsigned(b) % 32n)],
  ['or', (a, b) => unsigned(a) | unsigned(b)],
  ['and', (a, b) => unsigned(a) & unsigned(b)],
  ['mul', (a, b) => signed(a) * signed(b)],
  ['mulh', (a, b) => (signed(a) * signed(b)) >> 32n],
  ['mulhsu', (a, b) => (signed(a) * unsigned(b)) >> 32n],
  ['mulhu', (a, b) => (unsigned(a) * unsigned(b)) >> 32n],
  ['div', (a, b) => (signed(b) === 0n ? -1n : signed(a) / signed(b))],
  ['divu', (a, b) => (unsigned(b) === 0n ? -1n : unsigned(a) / unsigned(b))],
  ['rem', (a, b) => (signed(b) === 0n ? signed(a) : signed(a) % signed(b))],
  ['remu', (a, b) => (unsigned(b) === 0n ? unsigned(a) : unsigned(a) % unsigned(b))],
]);
const REGISTER_OPERATIONS = [...EXPECTED];

function expectedOf(operation: RegisterOperation, a: number, b: number): bigint {
  const expected = EXPECTED.get(operation);
  if (expected === undefined) throw new Error(operation);
  return BigInt.asUintN(32, expected(a, b));
}

const IMMEDIATE_FORMS: readonly [ImmediateOperation, RegisterOperation][] = [
  ['addi', 'add'],
  ['slti', 'slt'],
  ['sltiu', 'sltu'],
  ['xori', 'xor'],
  ['ori', 'or'],
  ['andi', 'and'],
];
const SHIFT_FORMS: readonly [ShiftOperation, RegisterOperation][] = [
  ['slli', 'sll'],
  ['srli', 'srl'],
  ['srai', 'sra'],
];
const IMMEDIATES = [0, 1, -1, 2, 31, 32, 0x7f, 0x400, 0x555, 2047, -2047, -2048];

const word = fc.oneof(fc.constantFrom(...CORNERS), fc.integer({ min: 0, max: 0xffffffff }));

/** Executes one instruction with `a` in a0 and `b` in a1, and gives what it left in a2. */
function resultOf(build: (program: Assembler) => void, a: number, b: number): bigint {
  const board = boardWith(build).set('a0', a).set('a1', b).set('a2', 0x5a5a5a5a);
  expect(board.step()).toBe(Stop.LIMIT);
  expect(board.x('pc')).toBe(RAM + 4);
  return BigInt(board.x('a2'));
}

describe.each(REGISTER_OPERATIONS)('%s', (operation, expected) => {
  it('gives what the specification says for all pairs of corner cases', () => {
    for (const a of CORNERS) {
      for (const b of CORNERS) {
        const result = resultOf((program) => program.op(operation, 'a2', 'a0', 'a1'), a, b);
        expect(result, `${operation} of ${a} and ${b}`).toBe(BigInt.asUintN(32, expected(a, b)));
      }
    }
  });

  it('gives what the specification says for any operands, also into its own sources', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const board = boardWith((program) =>
          program.op(operation, 'a0', 'a0', 'a1').op(operation, 'a1', 'a2', 'a1'),
        );
        board.set('a0', a).set('a1', b).set('a2', a).runTo(2);
        const result = BigInt.asUintN(32, expected(a, b));
        expect([board.x('a0'), board.x('a1')].map(BigInt)).toEqual([result, result]);
      }),
    );
  });
});

describe.each(IMMEDIATE_FORMS)('%s', (operation, like) => {
  it(`is ${like} with a sign-extended immediate`, () => {
    for (const a of CORNERS) {
      for (const immediate of IMMEDIATES) {
        const result = resultOf((program) => program.imm(operation, 'a2', 'a0', immediate), a, 0);
        expect(result, `${operation} of ${a} and ${immediate}`).toBe(expectedOf(like, a, immediate));
      }
    }
  });
});

describe.each(SHIFT_FORMS)('%s', (operation, like) => {
  it(`is ${like} by a constant`, () => {
    for (const a of CORNERS) {
      for (let amount = 0; amount < 32; amount += 1) {
        const result = resultOf((program) => program.shift(operation, 'a2', 'a0', amount), a, 0);
        expect(result, `${operation} of ${a} by ${amount}`).toBe(expectedOf(like, a, amount));
      }
    }
  });
});

describe('LUI and AUIPC', () => {
  it.each([0, 1, 0x7ffff, 0x80000, 0xfffff])('place upper immediate %i', (upper) => {
    expect(resultOf((program) => program.lui('a2', upper), 0, 0)).toBe(unsigned(upper << 12));
    expect(resultOf((program) => program.auipc('a2', upper), 0, 0)).toBe(unsigned(RAM + (upper << 12)));
  });
});

describe('x0', () => {
  it('stays zero whatever is written to it', () => {
    const board = boardWith((program) => {
      for (const [operation] of REGISTER_OPERATIONS) program.op(operation, 'zero', 'a0', 'a1');
      for (const [operation] of IMMEDIATE_FORMS) program.imm(operation, 'zero', 'a0', 77);
      for (const [operation] of SHIFT_FORMS) program.shift(operation, 'zero', 'a0', 1);
      program.lui('zero', 0x12345).auipc('zero', 0x12345);
      program.load('lw', 'zero', 'sp').load('lb', 'zero', 'sp').load('lhu', 'zero', 'sp');
      program.jal('zero', 4).jalr('zero', 't0', 0).label('after');
    });
    board.set('a0', 0xdeadbeef).set('a1', 0x77).set('sp', RAM);
    const instructions = REGISTER_OPERATIONS.length + IMMEDIATE_FORMS.length + SHIFT_FORMS.length + 7;
    board.set('t0', RAM + 4 * instructions);
    expect(board.processor.run(instructions)).toBe(Stop.LIMIT);
    expect(board.state.x[0]).toBe(0);
    expect(board.x('pc')).toBe(RAM + 4 * instructions);
  });
});

function illegal(encoded: number): void {
  const board = new TestBoard().set('mtvec', RAM + 0x100);
  board.load(new Assembler().word(encoded));
  expect(board.step(), encoded.toString(16)).toBe(Stop.EXCEPTION);
  expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([2, encoded >>> 0, RAM]);
}

describe('encodings that are not defined', () => {
  /** funct7 and funct3 of the bit operations, which have tests of their own; ZEXT.H is the one with x0 as a source. */
  const BIT_OPERATIONS = new Set(
    '102 104 106 204 206 207 054 055 056 057 301 305 141 241 245 341 044'.split(' '),
  );
  const BIT_SHIFTS = new Set(['141', '241', '341', '305', '245']);
  const key = (funct7: number, funct3: number): string =>
    funct7.toString(16).padStart(2, '0') + String(funct3);

  it('are illegal among the register operations', () => {
    for (let funct7 = 0; funct7 < 128; funct7 += 1) {
      if (funct7 === 0x00 || funct7 === 0x01) continue;
      for (let funct3 = 0; funct3 < 8; funct3 += 1) {
        if (funct7 === 0x20 && (funct3 === 0 || funct3 === 5)) continue;
        if (!BIT_OPERATIONS.has(key(funct7, funct3))) illegal((funct7 << 25) | (funct3 << 12) | 0x33);
      }
    }
  });

  it('are illegal among the shifts, where a sixth bit of the amount would stand', () => {
    for (let funct7 = 1; funct7 < 128; funct7 += 1) {
      // 0x30 counts and extends.
      if (funct7 !== 0x30 && !BIT_SHIFTS.has(key(funct7, 1))) illegal((funct7 << 25) | (1 << 12) | 0x13);
      if (funct7 !== 0x20 && !BIT_SHIFTS.has(key(funct7, 5))) illegal((funct7 << 25) | (5 << 12) | 0x13);
    }
  });

  it('are illegal for every major opcode that the hart lacks', () => {
    const defined = new Set([0x03, 0x0f, 0x13, 0x17, 0x23, 0x2f, 0x33, 0x37, 0x63, 0x67, 0x6f, 0x73]);
    for (let opcode = 3; opcode < 128; opcode += 4) if (!defined.has(opcode)) illegal(0x00100000 | opcode);
    illegal(0xffffffff);
  });

  it('are illegal among loads, stores, branches, jumps, fences and SYSTEM', () => {
    for (const funct3 of [3, 6, 7]) illegal((funct3 << 12) | 0x03);
    for (const funct3 of [3, 4, 5, 6, 7]) illegal((funct3 << 12) | 0x23);
    for (const funct3 of [2, 3]) illegal((funct3 << 12) | 0x63);
    for (const funct3 of [1, 2, 3, 4, 5, 6, 7]) illegal((funct3 << 12) | 0x67);
    for (const funct3 of [2, 3, 4, 5, 6, 7]) illegal((funct3 << 12) | 0x0f);
    illegal((4 << 12) | 0x73);
    for (const encoded of [0x00200073, 0x10200073, 0x12000073, 0x30200173, 0x10508073, 0x00000173])
      illegal(encoded);
  });
});

describe('fences', () => {
  it('do nothing, in every form', () => {
    const fences = [0x0ff0000f, 0x8330000f, 0x0000100f, 0x0000000f, 0xfff5048f];
    const board = boardWith((program) => program.word(...fences));
    const before = board.state.x.slice();
    expect(board.processor.run(fences.length)).toBe(Stop.LIMIT);
    expect(board.state.x).toEqual(before);
    expect(board.x('pc')).toBe(RAM + 4 * fences.length);
  });

  it('are not needed to execute what was just stored', () => {
    const board = boardWith((program) => {
      program.store('sw', 'a0', 'sp', 8).nop().word(0).nop();
    });
    board.set('a0', new Assembler().addi('a1', 'zero', 42).words()[0] ?? 0).set('sp', RAM);
    expect(board.processor.run(3)).toBe(Stop.LIMIT);
    expect(board.x('a1')).toBe(42);
  });
});
