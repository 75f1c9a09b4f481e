import { describe, expect, it } from 'vitest';
import { EXPANDED } from '../../src/hart/compressed.js';
import { Stop } from '../../src/hart/processor.js';
import { Assembler } from '../assembler.js';
import { boardWith, PAGE, RAM, TestBoard } from '../testBoard.js';

/** The fields of an instruction of 16 bits: registers by number, and the immediate. */
interface Fields {
  readonly d: string;
  readonly s: string;
  readonly t: string;
  readonly i: number;
}

type Form = readonly [layout: string, sign: number, build: (to: Assembler, fields: Fields) => void];

/**
 * RV32C as the specification's tables have it, from bit 15 down: `d`, `s` and `t` are the five bits of a register, or
 * three with a prime; `i5:3` are bits of the immediate, of which bit `sign` is its sign. Reserved encodings come first.
 */
const FORMS: readonly Form[] = [
  ["000 00000000 d' 00", 0, illegal],
  ["000 i5:4 i9:6 i2 i3 d' 00", 0, (to, { d, i }) => to.addi(d, 'sp', i)],
  ["010 i5:3 s' i2 i6 d' 00", 0, (to, { d, s, i }) => to.load('lw', d, s, i)],
  ["110 i5:3 s' i2 i6 t' 00", 0, (to, { s, t, i }) => to.store('sw', t, s, i)],
  ['000 i5 d i4:0 01', 5, (to, { d, i }) => to.addi(d, d, i)],
  ['001 i11 i4 i9:8 i10 i6 i7 i3:1 i5 01', 11, (to, { i }) => to.jal('ra', i)],
  ['010 i5 d i4:0 01', 5, (to, { d, i }) => to.addi(d, 'zero', i)],
  ['011 0 d 00000 01', 0, illegal],
  ['011 i9 00010 i4 i6 i8:7 i5 01', 9, (to, { i }) => to.addi('sp', 'sp', i)],
  ['011 i17 d i16:12 01', 17, (to, { d, i }) => to.lui(d, i >> 12)],
  ["100 0 00 d' i4:0 01", 0, (to, { d, i }) => to.shift('srli', d, d, i)],
  ["100 0 01 d' i4:0 01", 0, (to, { d, i }) => to.shift('srai', d, d, i)],
  ["100 i5 10 d' i4:0 01", 5, (to, { d, i }) => to.imm('andi', d, d, i)],
  ["100 0 11 d' 00 t' 01", 0, (to, { d, t }) => to.op('sub', d, d, t)],
  ["100 0 11 d' 01 t' 01", 0, (to, { d, t }) => to.op('xor', d, d, t)],
  ["100 0 11 d' 10 t' 01", 0, (to, { d, t }) => to.op('or', d, d, t)],
  ["100 0 11 d' 11 t' 01", 0, (to, { d, t }) => to.op('and', d, d, t)],
  ['101 i11 i4 i9:8 i10 i6 i7 i3:1 i5 01', 11, (to, { i }) => to.jal('zero', i)],
  ["110 i8 i4:3 s' i7:6 i2:1 i5 01", 8, (to, { s, i }) => to.branch('beq', s, 'zero', i)],
  ["111 i8 i4:3 s' i7:6 i2:1 i5 01", 8, (to, { s, i }) => to.branch('bne', s, 'zero', i)],
  ['000 0 d i4:0 10', 0, (to, { d, i }) => to.shift('slli', d, d, i)],
  ['010 i5 00000 i4:2 i7:6 10', 0, illegal],
  ['010 i5 d i4:2 i7:6 10', 0, (to, { d, i }) => to.load('lw', d, 'sp', i)],
  ['100 0 00000 00000 10', 0, illegal],
  ['100 0 s 00000 10', 0, (to, { s }) => to.jalr('zero', s)],
  ['100 0 d t 10', 0, (to, { d, t }) => to.op('add', d, 'zero', t)],
  ['100 1 00000 00000 10', 0, (to) => to.ebreak()],
  ['100 1 s 00000 10', 0, (to, { s }) => to.jalr('ra', s)],
  ['100 1 d t 10', 0, (to, { d, t }) => to.op('add', d, d, t)],
  ['110 i5:2 i7:6 t 10', 0, (to, { t, i }) => to.store('sw', t, 'sp', i)],
];

function illegal(): void {}

/** The fields of `half`, where it has the layout. */
function fieldsOf(half: number, layout: string, sign: number): Fields | undefined {
  const registers = { d: 'x0', s: 'x0', t: 'x0' };
  let immediate = 0;
  let at = 16;
  const take = (count: number): number => (half >>> (at -= count)) & ((1 << count) - 1);
  for (const field of layout.split(' ')) {
    const range = /^i(\d+)(?::(\d+))?$/.exec(field);
    if (range !== null) {
      const high = Number(range[1]);
      const low = Number(range[2] ?? high);
      immediate |= take(high - low + 1) << low;
    } else if (/^[dst]'?$/.test(field)) {
      const short = field.length > 1;
      registers[field[0] as 'd' | 's' | 't'] = `x${short ? 8 + take(3) : take(5)}`;
    } else if (take(field.length) !== Number.parseInt(field, 2)) {
      return undefined;
    }
  }
  if (at !== 0) throw new Error(`${layout} has ${16 - at} bits`);
  return { ...registers, i: sign === 0 ? immediate : (immediate << (31 - sign)) >> (31 - sign) };
}

/** What the specification has `half` stand for; itself where that is nothing. */
function specified(half: number): number {
  for (const [layout, sign, build] of FORMS) {
    const fields = fieldsOf(half, layout, sign);
    if (fields === undefined) continue;
    const to = new Assembler();
    build(to, fields);
    return to.words()[0] ?? half;
  }
  return half;
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

describe('an instruction of 16 bits', () => {
  it('stands for the one of 32 bits that the specification says, each of the 49 152', () => {
    const different: string[] = [];
    for (let half = 0; half < 1 << 16; half += 1) {
      if ((half & 3) === 3) continue;
      const expected = hex(specified(half));
      const expanded = hex(EXPANDED[half] ?? 0);
      if (expanded !== expected) different.push(`${hex(half)}: ${expanded} instead of ${expected}`);
    }
    expect(different.slice(0, 10)).toEqual([]);
  });

  it('takes two bytes and a cycle', () => {
    const board = boardWith((to) => to.half(0x0505, 0x0509)); // c.addi a0, 1 and 2
    expect(board.processor.run(2)).toBe(Stop.LIMIT);
    expect([board.x('a0'), board.x('pc'), board.state.instructions]).toEqual([3, RAM + 4, 2]);
  });

  it.each([
    ['C.JAL', 0x2011, 4],
    ['C.JALR', 0x9502, 0x100],
  ])('%s links to the next half word', (_, half, distance) => {
    const board = boardWith((to) => to.half(0x0001, half)).set('a0', RAM + 0x102);
    board.processor.run(2);
    expect([board.x('ra'), board.x('pc')]).toEqual([RAM + 4, RAM + 2 + distance]);
  });

  it.each([
    ['all zeros', 0x0000],
    ['C.ADDI4SPN of 0', 0x0004],
    ['C.FLW', 0x6000],
    ['C.FLDSP', 0x2082],
    ['C.LUI of 0', 0x6081],
    ['C.SRLI by 32', 0x9001],
    ['C.SUBW of RV64', 0x9c01],
    ['C.LWSP to x0', 0x4002],
    ['C.JR to x0', 0x8002],
  ])('that is none, %s, is illegal, and mtval holds its 16 bits', (_, half) => {
    const board = boardWith((to) => to.half(0x0001, half, 0xffff, 0xffff)).set('mtvec', RAM + 0x100);
    expect(board.processor.run(2)).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([2, half, RAM + 2]);
  });

  it('C.EBREAK is a breakpoint at its own address', () => {
    const board = boardWith((to) => to.half(0x0001, 0x9002)).set('mtvec', RAM + 0x100);
    expect(board.processor.run(2)).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([3, RAM + 2, RAM + 2]);
  });
});

describe('an instruction of 32 bits at an odd half word', () => {
  it('is executed, and what follows it', () => {
    const board = boardWith((to) => to.half(0x0001).addi('a0', 'a0', 7).half(0x0505));
    expect(board.processor.run(3)).toBe(Stop.LIMIT);
    expect([board.x('a0'), board.x('pc')]).toEqual([8, RAM + 8]);
  });

  it('lies across two pages', () => {
    const at = RAM + PAGE - 2;
    const board = new TestBoard().load(new Assembler(at).addi('a0', 'zero', 5)).set('pc', at);
    expect(board.step()).toBe(Stop.LIMIT);
    expect([board.x('a0'), board.x('pc')]).toEqual([5, at + 4]);
  });

  it('is illegal with all of its bits in mtval', () => {
    const board = boardWith((to) => to.half(0x0001).word(0xdead_0003 | 0x7000)).set('mtvec', RAM + 0x100);
    expect(board.processor.run(2)).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval')]).toEqual([2, 0xdead_7003]);
  });

  it('with its upper half behind RAM faults there', () => {
    const end = RAM + 4 * PAGE;
    const board = new TestBoard().load(new Assembler(end - 2).half(0x0013)).set('pc', end - 2);
    board.set('mtvec', RAM);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([1, end, end - 2]);
  });

  it('is no matter for one of 16 bits at the end of RAM', () => {
    const end = RAM + 4 * PAGE;
    const board = new TestBoard().load(new Assembler(end - 2).half(0x0505)).set('pc', end - 2);
    expect(board.step()).toBe(Stop.LIMIT);
    expect([board.x('a0'), board.x('pc')]).toEqual([1, end]);
  });

  it('sees a store to either of its halves at once', () => {
    const board = boardWith((to) =>
      to.store('sh', 'a1', 'a0', 2).half(0x0001).addi('a2', 'zero', 1).half(0x0001),
    );
    board.set('a0', RAM + 6).set('a1', 0x0050); // the upper half: addi a2, zero, 5
    board.processor.run(3);
    expect(board.x('a2')).toBe(5);
  });
});
