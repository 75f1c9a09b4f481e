import { describe, expect, it } from 'vitest';
import { assert, bigInt, constantFrom, property } from 'fast-check';
import { framed, numberText } from '@rmk/driver';
import { numberAt, PacketReader } from '../src/gdb/remoteSerial.js';

describe('the remote serial protocol', () => {
  it('frames a packet with the sum of its bytes', () => {
    expect(framed('')).toBe('$#00');
    expect(framed('g')).toBe('$g#67');
    expect(framed('OK')).toBe('$OK#9a');
    expect(framed('vCont?')).toBe('$vCont?#49');
  });

  it('takes packets out of a stream however it is cut, and passes acknowledgements over', () => {
    const stream = `+${framed('OK')}++${framed('')}${framed('T05thread:p01.01;')}`;
    for (let size = 1; size <= stream.length; size += 1) {
      const reader = new PacketReader();
      const packets: string[] = [];
      for (let at = 0; at < stream.length; at += size)
        packets.push(...reader.read(stream.slice(at, at + size)));
      expect(packets).toEqual(['OK', '', 'T05thread:p01.01;']);
    }
  });

  it('refuses a damaged packet', () => {
    expect(() => new PacketReader().read('$OK#9b')).toThrow('damaged packet from the gdb stub: $OK#9b');
  });

  it('refuses a packet without an end', () => {
    const reader = new PacketReader();
    expect(() => {
      for (let piece = 0; piece < 1000; piece += 1) reader.read('$'.padEnd(4096, 'x'));
    }).toThrow('RMK_ERR_HYPERVISOR');
  });

  it('takes what is as long as the longest packet, and refuses more without an end', () => {
    const reader = new PacketReader();
    expect(reader.read('$'.padEnd(1 << 20, 'x'))).toEqual([]);
    expect(() => reader.read('x')).toThrow('RMK_ERR_HYPERVISOR');
  });

  it('reads numbers least significant byte first', () => {
    expect(numberAt('00000080ff000000', 32)).toBe(0x8000_0000n);
    expect(numberAt('00000080ff000000', 32, 8)).toBe(0xffn);
    expect(numberAt('00000080ff000000', 64)).toBe(0xff_8000_0000n);
    for (const wrong of ['E14', '', '000000', '0000000x']) {
      expect(() => numberAt(wrong, 32)).toThrow(`not a 32-bit register from the gdb stub: "${wrong}"`);
    }
  });

  it('writes what it reads', () => {
    assert(
      property(constantFrom(8, 32, 64, 80, 128), bigInt({ min: 0n, max: (1n << 128n) - 1n }), (bits, any) => {
        const value = BigInt.asUintN(bits, any);
        expect(numberAt(numberText(value, bits), bits)).toBe(value);
      }),
    );
  });
});
