import { RmkError } from '@rmk/core';

/**
 * A 32-bit checksum over whole words. Every step is a bijection of the running value and of the word, so a change
 * that is confined to one word, however many bits of it flip, is always found; wider damage is missed once in 2^32.
 * Four lanes, since one chain of multiplications would leave the processor waiting.
 */
export function checksum(words: Int32Array, firstWord: number, count: number, seed: number): number {
  const end = firstWord + count;
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x85ebca6b | 0;
  let d = 0xc2b2ae35 | 0;
  let i = firstWord;
  for (; i + 4 <= end; i += 4) {
    a = Math.imul(a ^ (words[i] as number), 0x01000193) + 1;
    b = Math.imul(b ^ (words[i + 1] as number), 0x27d4eb2f) + 1;
    c = Math.imul(c ^ (words[i + 2] as number), 0x165667b1) + 1;
    d = Math.imul(d ^ (words[i + 3] as number), 0x2545f491) + 1;
    a = (a << 13) | (a >>> 19);
    b = (b << 11) | (b >>> 21);
    c = (c << 7) | (c >>> 25);
    d = (d << 17) | (d >>> 15);
  }
  for (; i < end; i++) {
    a = Math.imul(a ^ (words[i] as number), 0x01000193) + 1;
    a = (a << 13) | (a >>> 19);
  }
  a = Math.imul(a ^ b, 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 15) ^ c, 0xc2b2ae35);
  a = Math.imul(a ^ (a >>> 13) ^ d, 0x27d4eb2f);
  return (a ^ (a >>> 16)) >>> 0;
}

/** `RMK_ERR_INPUT` where what is to be damaged has no such bit. */
export function checkBit(bit: number, bytes: number): void {
  if (Number.isInteger(bit) && bit >= 0 && bit < 8 * bytes) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `there is no bit ${bit} in ${bytes} bytes; give one from 0 to ${8 * bytes - 1}`,
  );
}
