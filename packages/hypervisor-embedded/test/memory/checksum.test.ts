import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksum } from '../../src/memory/checksum.js';

const words = fc
  .array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 70 })
  .map((values) => Int32Array.from(values));

function sum(of: Int32Array, seed = 0): number {
  return checksum(of, 0, of.length, seed);
}

describe('the checksum', () => {
  it('finds any change that is confined to one word', () => {
    fc.assert(
      fc.property(words, fc.nat(), fc.integer(), fc.integer({ min: 1 }), (intact, at, seed, flips) => {
        const damaged = intact.slice();
        const index = at % intact.length;
        damaged[index] = (intact[index] ?? 0) ^ flips;
        expect(sum(damaged, seed)).not.toBe(sum(intact, seed));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds each single bit of a page', () => {
    const page = new Int32Array(1024).map((_, index) => Math.imul(index, 0x9e3779b1));
    const intact = sum(page);
    for (let bit = 0; bit < 32 * page.length; bit++) {
      const word = bit >>> 5;
      page[word] = (page[word] ?? 0) ^ (1 << (bit & 31));
      if (sum(page) === intact) expect.fail(`the flip of bit ${bit} was not found`);
      page[word] = (page[word] ?? 0) ^ (1 << (bit & 31));
    }
    expect(sum(page)).toBe(intact);
  });

  it('depends on the seed, so that one page cannot pass for another', () => {
    fc.assert(
      fc.property(words, fc.integer(), fc.integer(), (page, one, other) => {
        fc.pre(one !== other);
        expect(sum(page, one)).not.toBe(sum(page, other));
      }),
    );
  });

  it('is a function of the words alone, wherever they lie', () => {
    fc.assert(
      fc.property(words, fc.nat(9), fc.nat(9), fc.integer(), (page, before, after, seed) => {
        const whole = new Int32Array(before + page.length + after).fill(-1);
        whole.set(page, before);
        expect(checksum(whole, before, page.length, seed)).toBe(sum(page, seed));
      }),
    );
  });

  it('depends on the order of the words', () => {
    expect(sum(Int32Array.of(1, 2, 3, 4, 5))).not.toBe(sum(Int32Array.of(5, 2, 3, 4, 1)));
    expect(sum(Int32Array.of(1, 2, 3, 4))).not.toBe(sum(Int32Array.of(2, 1, 3, 4)));
  });

  it('is an unsigned 32-bit number', () => {
    fc.assert(
      fc.property(words, fc.integer(), (page, seed) => {
        const found = sum(page, seed);
        expect(Number.isInteger(found) && found >= 0 && found < 2 ** 32).toBe(true);
      }),
    );
  });
});
