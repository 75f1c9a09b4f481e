import { RmkError } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { StateReader, StateWriter } from '../../src/memory/stateStream.js';

describe('a state stream', () => {
  it('gives back what was written, and lies little-endian and unpadded in its bytes', () => {
    const whole = new Uint8Array(32);
    const bytes = whole.subarray(3, 3 + 18);
    const to = new StateWriter(bytes);
    to.u8(0x1fe);
    to.u32(0x89ab_cdef);
    to.u32(-2);
    to.f64(2 ** 52 + 1);
    to.u8(1);
    expect(to.position).toBe(18);
    expect([...bytes.subarray(0, 9)]).toEqual([0xfe, 0xef, 0xcd, 0xab, 0x89, 0xfe, 0xff, 0xff, 0xff]);
    expect([...whole.subarray(0, 3), ...whole.subarray(21)].every((byte) => byte === 0)).toBe(true);
    const from = new StateReader(bytes);
    expect([from.u8(), from.u32(), from.u32(), from.f64(), from.u8()]).toEqual([
      0xfe,
      0x89ab_cdef,
      0xffff_fffe,
      2 ** 52 + 1,
      1,
    ]);
    expect(from.position).toBe(18);
  });

  it('is not written or read past its end', () => {
    const to = new StateWriter(new Uint8Array(10));
    to.f64(1);
    expect(() => to.u32(1)).toThrow(RmkError);
    expect(to.position).toBe(8);
    to.u8(1);
    to.u8(1);
    expect(() => to.u8(1)).toThrow(/ends before the 1 bytes to be written at offset 10/);
    const from = new StateReader(new Uint8Array(7));
    expect(() => from.f64()).toThrow(/RMK_ERR_STATE.*7 bytes ends before the 8 bytes to be read at offset 0/);
  });
});
