import { describe, expect, it } from 'vitest';
import { framed, PacketReader, wordAt } from './remoteSerial.js';

describe('oracle: the remote serial protocol', () => {
  it('oracle: frames a packet with the sum of its bytes', () => {
    expect(framed('')).toBe('$#00');
    expect(framed('g')).toBe('$g#67');
    expect(framed('OK')).toBe('$OK#9a');
    expect(framed('vCont?')).toBe('$vCont?#49');
  });

  it('oracle: takes packets out of a stream however it is cut, and passes acknowledgements over', () => {
    const stream = `+${framed('OK')}++${framed('')}${framed('T05thread:p01.01;')}`;
    for (let size = 1; size <= stream.length; size += 1) {
      const reader = new PacketReader();
      const packets: string[] = [];
      for (let at = 0; at < stream.length; at += size)
        packets.push(...reader.read(stream.slice(at, at + size)));
      expect(packets).toEqual(['OK', '', 'T05thread:p01.01;']);
    }
  });

  it('oracle: refuses a damaged packet', () => {
    expect(() => new PacketReader().read('$OK#9b')).toThrow('damaged packet from the gdb stub: $OK#9b');
  });

  it('oracle: reads registers least significant byte first', () => {
    expect(wordAt('00000080ff000000')).toBe(0x8000_0000);
    expect(wordAt('00000080ff000000', 8)).toBe(0xff);
    expect(() => wordAt('E14')).toThrow('not a 32-bit register from the gdb stub: "E14"');
  });
});
