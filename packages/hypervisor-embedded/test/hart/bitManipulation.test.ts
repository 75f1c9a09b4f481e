import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import type { Assembler, BitOperation, BitShift, UnaryOperation } from '../assembler.js';
import { boardWith, CORNERS, RAM } from '../testBoard.js';

/**
 * A number as its 32 bits, the highest first. The specification is formulated on these, with no arithmetic on words.
 */
type Bits = readonly string[];
const bitsOf = (value: number): Bits => Array.from((value >>> 0).toString(2).padStart(32, '0'));
const valueOf = (bits: Bits): number => Number.parseInt(bits.join(''), 2);
const zip = (a: number, b: number, operate: (a: string, b: string) => boolean): number => {
  const right = bitsOf(b);
  return valueOf(bitsOf(a).map((bit, index) => (operate(bit, right[index] ?? '') ? '1' : '0')));
};
const withBit = (value: number, at: number, change: (bit: string) => string): number =>
  valueOf(bitsOf(value).map((bit, index) => (index === 31 - (at % 32) ? change(bit) : bit)));
const rotateLeft = (value: number, amount: number): number => {
  const bits = bitsOf(value);
  return valueOf([...bits.slice(amount % 32), ...bits.slice(0, amount % 32)]);
};
const bytesOf = (value: number): Bits[] => [0, 8, 16, 24].map((at) => bitsOf(value).slice(at, at + 8));
const runOf = (bits: Bits, bit: string): number => {
  const end = bits.findIndex((each) => each !== bit);
  return end < 0 ? bits.length : end;
};
const least = (a: bigint, b: bigint): number => Number(BigInt.asUintN(32, a < b ? a : b));
const most = (a: bigint, b: bigint): number => Number(BigInt.asUintN(32, a > b ? a : b));
const signed = (value: number): bigint => BigInt.asIntN(32, BigInt(value));
const shiftedSum = (a: number, by: bigint, b: number): number =>
  Number(BigInt.asUintN(32, (BigInt(a) << by) + BigInt(b)));

const BINARY: readonly [BitOperation, (a: number, b: number) => number][] = [
  ['sh1add', (a, b) => shiftedSum(a, 1n, b)],
  ['sh2add', (a, b) => shiftedSum(a, 2n, b)],
  ['sh3add', (a, b) => shiftedSum(a, 3n, b)],
  ['andn', (a, b) => zip(a, b, (x, y) => x === '1' && y === '0')],
  ['orn', (a, b) => zip(a, b, (x, y) => x === '1' || y === '0')],
  ['xnor', (a, b) => zip(a, b, (x, y) => x === y)],
  ['min', (a, b) => least(signed(a), signed(b))],
  ['minu', (a, b) => least(BigInt(a), BigInt(b))],
  ['max', (a, b) => most(signed(a), signed(b))],
  ['maxu', (a, b) => most(BigInt(a), BigInt(b))],
  ['rol', (a, b) => rotateLeft(a, b % 32)],
  ['ror', (a, b) => rotateLeft(a, 32 - (b % 32))],
  ['bset', (a, b) => withBit(a, b, () => '1')],
  ['bclr', (a, b) => withBit(a, b, () => '0')],
  ['bext', (a, b) => Number(bitsOf(a)[31 - (b % 32)])],
  ['binv', (a, b) => withBit(a, b, (bit) => (bit === '1' ? '0' : '1'))],
];
const SHIFTS: readonly [BitShift, BitOperation][] = [
  ['rori', 'ror'],
  ['bseti', 'bset'],
  ['bclri', 'bclr'],
  ['bexti', 'bext'],
  ['binvi', 'binv'],
];
const UNARY: readonly [UnaryOperation, (a: number) => number][] = [
  ['clz', (a) => runOf(bitsOf(a), '0')],
  ['ctz', (a) => runOf(bitsOf(a).toReversed(), '0')],
  ['cpop', (a) => bitsOf(a).filter((bit) => bit === '1').length],
  ['sext.b', (a) => Number(BigInt.asUintN(32, BigInt.asIntN(8, BigInt(a))))],
  ['sext.h', (a) => Number(BigInt.asUintN(32, BigInt.asIntN(16, BigInt(a))))],
  ['zext.h', (a) => a % 0x1_0000],
  ['orc.b', (a) => valueOf(bytesOf(a).flatMap((byte) => byte.map(() => (byte.includes('1') ? '1' : '0'))))],
  ['rev8', (a) => valueOf(bytesOf(a).toReversed().flat())],
];

const word = fc.oneof(
  fc.constantFrom(...CORNERS),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  // Single bits and runs of them, which random words hardly ever are.
  fc.tuple(fc.nat(31), fc.nat(31)).map(([at, from]) => ((0xffff_ffff << from) ^ (1 << at)) >>> 0),
);

function result(build: (to: Assembler) => void, a: number, b = 0): number {
  const board = boardWith(build).set('a0', a).set('a1', b);
  expect(board.step()).toBe(Stop.LIMIT);
  expect(board.x('pc')).toBe(RAM + 4);
  return board.x('a2');
}

describe.each(BINARY)('%s', (operation, expected) => {
  it('is what its bits say', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(result((to) => to.bits(operation, 'a2', 'a0', 'a1'), a, b)).toBe(expected(a, b));
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(SHIFTS)('%s', (operation, register) => {
  it(`is ${register} by a constant`, () => {
    const expected = BINARY.find(([name]) => name === register)?.[1];
    fc.assert(
      fc.property(word, fc.nat(31), (a, amount) => {
        expect(result((to) => to.bitShift(operation, 'a2', 'a0', amount), a)).toBe(expected?.(a, amount));
      }),
    );
  });
});

describe.each(UNARY)('%s', (operation, expected) => {
  it('is what its bits say', () => {
    fc.assert(
      fc.property(word, (a) => {
        expect(result((to) => to.unary(operation, 'a2', 'a0'), a)).toBe(expected(a));
      }),
      { numRuns: 300 },
    );
  });
});

describe('neighbours of the bit operations', () => {
  it('leave x0 at zero', () => {
    expect(result((to) => to.bits('bset', 'zero', 'a0', 'a1'), 1, 2)).toBe(0);
  });

  it.each([
    ['a count that there is not', 0x6035_1613],
    ['another count', 0x6065_1613],
    ['a shift of 32 and more', 0x2205_1613],
    ['ORC by another constant', 0x2865_5613],
    ['REV8 of RV64', 0x6b85_5613],
    ['ZEXT.H with a second source', 0x08b5_4633],
    ['CLMUL of Zbc', 0x0ab5_1633],
    ['SH1ADD with another function', 0x20b5_1633],
  ])('are illegal: %s', (_, instruction) => {
    const board = boardWith((to) => to.word(instruction)).set('mtvec', RAM + 0x100);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval')]).toEqual([2, instruction]);
  });
});
