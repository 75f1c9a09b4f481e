import { RmkError } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { readRegister, REGISTER_NAMES, writeRegister } from '../../src/hart/registers.js';
import { TestBoard } from '../testBoard.js';

const ABI =
  'ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');

describe('registers by name', () => {
  it('are those of the hart', () => {
    const integer = Array.from({ length: 31 }, (_, index) => `x${index + 1}`);
    const control = ['mstatus', 'mie', 'mip', 'mtvec', 'mscratch', 'mepc', 'mcause', 'mtval', 'mcounteren'];
    expect(REGISTER_NAMES).toEqual(['pc', ...integer, 'privilege', ...control]);
  });

  it('hold what is written, each its own', () => {
    const { state } = new TestBoard();
    const writable = REGISTER_NAMES.filter((name) => /^x|^(pc|mscratch|mcause|mtval|mepc)$/.test(name));
    writable.forEach((name, index) => writeRegister(state, name, 0xffff_ff00n - BigInt(4 * index)));
    writable.forEach((name, index) =>
      expect(readRegister(state, name), name).toBe(0xffff_ff00n - BigInt(4 * index)),
    );
    ABI.forEach((name, index) =>
      expect(readRegister(state, name), name).toBe(readRegister(state, `x${index + 1}`)),
    );
    expect(readRegister(state, 'fp')).toBe(readRegister(state, 'x8'));
    expect(state.x[0]).toBe(0);
  });

  it('keep what their fields allow', () => {
    const { state } = new TestBoard();
    for (const [name, kept] of [
      ['mstatus', 0x0022_1888n],
      ['mie', 0x888n],
      ['mcounteren', 7n],
      ['mepc', 0xffff_fffen],
      ['mtvec', 0n],
    ] as const) {
      writeRegister(state, name, 0xffff_ffffn);
      expect(readRegister(state, name), name).toBe(kept);
    }
    for (const privilege of [0n, 3n]) {
      writeRegister(state, 'privilege', privilege);
      expect(readRegister(state, 'privilege')).toBe(privilege);
    }
  });

  it('show the interrupts that the devices hold pending', () => {
    const board = new TestBoard();
    board.clint.write(0, 1, 0);
    board.clint.write(0x4004, 0, 0);
    board.clint.write(0x4000, 5, 0);
    expect(readRegister(board.state, 'mip')).toBe(0x8n);
    board.state.cycles = 50;
    expect(readRegister(board.state, 'mip')).toBe(0x88n);
  });

  it.each([
    ['pc', 0x8000_0001n, /multiples of 2/],
    ['privilege', 1n, /0 \(user\) and 3 \(machine\)/],
    ['privilege', 2n, /0 \(user\) and 3 \(machine\)/],
    ['mip', 0n, /devices/],
    ['x5', 0x1_0000_0000n, /32 bits.*0 to 0xffffffff/],
    ['a0', -1n, /cannot be set to -1/],
  ])('refuse for %s the value %s', (name, value, message) => {
    const board = new TestBoard();
    const before = board.save();
    expect(() => writeRegister(board.state, name, value)).toThrow(message);
    expect(() => writeRegister(board.state, name, value)).toThrow(/^RMK_ERR_INPUT: register/);
    expect(board.save()).toEqual(before);
  });

  it.each(['x0', 'zero', 'x32', 'X1', '', 'mhartid', 'toString'])('know no %j', (name) => {
    const { state } = new TestBoard();
    expect(() => readRegister(state, name)).toThrow(RmkError);
    expect(() => readRegister(state, name)).toThrow(/^RMK_ERR_UNKNOWN: the hart has no register/);
    expect(() => writeRegister(state, name, 0n)).toThrow(/^RMK_ERR_UNKNOWN/);
  });
});
