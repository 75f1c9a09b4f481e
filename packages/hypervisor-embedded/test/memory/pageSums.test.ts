import { PAGE_BYTES } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageSums } from '../../src/memory/pageSums.js';
import { WebAssembly } from '../../src/webAssembly.js';

const PAGES = 16;
const WORDS = PAGE_BYTES / 4;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const bytes = new Uint8Array(memory.buffer);
const words = new Uint32Array(memory.buffer);
const sums = pageSums(memory);

const page = fc.nat({ max: PAGES - 1 });
const seed = fc.integer({ min: 0, max: 2 ** 20 });
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function fill(at: number, first: number, step: number): void {
  for (let i = 0; i < WORDS; i++) words[at / 4 + i] = Math.imul(first + i, step | 1);
}

describe('the checksum of a page', () => {
  it('is that of the copy, wherever it lies, and copying changes nothing else', () => {
    fc.assert(
      fc.property(page, page, seed, word, word, (from, to, seeded, first, step) => {
        bytes.fill(0xaa);
        fill(from * PAGE_BYTES, first, step);
        const expected = bytes.slice();
        expected.copyWithin(to * PAGE_BYTES, from * PAGE_BYTES, (from + 1) * PAGE_BYTES);
        const sum = sums.copy(from * PAGE_BYTES, to * PAGE_BYTES, seeded);
        expect(Buffer.compare(bytes, expected)).toBe(0);
        expect(sums.sum(to * PAGE_BYTES, seeded)).toBe(sum);
      }),
    );
  });

  it('differs after any change of one word, and for another seed', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: WORDS - 1 }),
        seed,
        word,
        word,
        word,
        (index, seeded, first, step, change) => {
          fc.pre(change !== 0);
          fill(0, first, step);
          const sum = sums.sum(0, seeded);
          expect(sums.sum(0, seeded ^ change)).not.toBe(sum);
          words[index] = ((words[index] ?? 0) ^ change) >>> 0;
          expect(sums.sum(0, seeded)).not.toBe(sum);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('differs after any flip of one bit of an empty page, each time another', () => {
    words.fill(0, 0, WORDS);
    const seen = new Set([sums.sum(0, 0)]);
    for (let bit = 0; bit < 8 * PAGE_BYTES; bit++) {
      const mask = 2 ** (bit & 31);
      words[bit >>> 5] = mask;
      seen.add(sums.sum(0, 0));
      words[bit >>> 5] = 0;
    }
    // Of 32 769 numbers of 32 bits, chosen at random, no more than a few are alike.
    expect(seen.size).toBeGreaterThan(8 * PAGE_BYTES - 3);
  });

  it('differs where words have changed places', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: WORDS - 1 }),
        fc.nat({ max: WORDS - 1 }),
        word,
        word,
        (one, other, first, step) => {
          fill(0, first, step);
          const [a = 0, b = 0] = [words[one], words[other]];
          fc.pre(a !== b);
          const sum = sums.sum(0, 0);
          words[one] = b;
          words[other] = a;
          expect(sums.sum(0, 0)).not.toBe(sum);
        },
      ),
    );
  });
});
