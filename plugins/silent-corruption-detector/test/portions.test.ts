import { PAGE_BYTES } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portionsOf } from '../src/portions.js';

const regions = fc
  .array(
    fc.record({
      address: fc.integer({ min: 0, max: 12 * PAGE_BYTES }),
      bytes: fc.integer({ min: 1, max: 9 * PAGE_BYTES }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((places) => places.map((place, index) => ({ name: `region ${index}`, ...place })));

describe('the portions of an epoch', () => {
  it('cover each byte of each region exactly once in a round, with no more pages in one than the round needs', () => {
    fc.assert(
      fc.property(regions, fc.integer({ min: 1, max: 30 }), (all, epochs) => {
        const portions = portionsOf(all, epochs);
        const blocks = portions.map((portion) => portion.flatMap((stretch) => stretch.blocks));
        expect(portions.length).toBeLessThanOrEqual(epochs);
        const most = Math.ceil(blocks.flat().length / epochs);
        for (const portion of blocks) expect(portion.length).toBeLessThanOrEqual(most);

        const timesSeen = all.map(({ bytes }) => new Uint8Array(bytes));
        for (const { region, address, bytes } of blocks.flat()) {
          const from = address - (all[region]?.address ?? 0);
          for (let offset = from; offset < from + bytes; offset++) {
            const seen = timesSeen[region];
            if (seen?.[offset] === undefined) throw new Error(`${offset} lies outside region ${region}`);
            seen[offset] = (seen[offset] ?? 0) + 1;
          }
          expect(Math.floor(address / PAGE_BYTES)).toBe(Math.floor((address + bytes - 1) / PAGE_BYTES));
        }
        for (const seen of timesSeen) expect(seen.every((times) => times === 1)).toBe(true);
      }),
    );
  });

  it('read what lies side by side at once', () => {
    fc.assert(
      fc.property(regions, fc.integer({ min: 1, max: 30 }), (all, epochs) => {
        for (const portion of portionsOf(all, epochs)) {
          for (const [index, { address, bytes, blocks }] of portion.entries()) {
            let next = address;
            for (const block of blocks) {
              expect(block.address).toBe(next);
              next += block.bytes;
            }
            expect(next).toBe(address + bytes);
            expect(portion[index + 1]?.address).not.toBe(next);
          }
        }
      }),
    );
  });

  it('keep the order of the regions', () => {
    const text = { name: 'text', address: 0x8000_0ff0, bytes: 0x1020 };
    const table = { name: 'table', address: 0x8000_4000, bytes: 4 };
    expect(portionsOf([text, table], 2)).toEqual([
      [
        {
          address: 0x8000_0ff0,
          bytes: 0x1010,
          blocks: [
            { region: 0, address: 0x8000_0ff0, bytes: 0x10 },
            { region: 0, address: 0x8000_1000, bytes: 0x1000 },
          ],
        },
      ],
      [
        { address: 0x8000_2000, bytes: 0x10, blocks: [{ region: 0, address: 0x8000_2000, bytes: 0x10 }] },
        { address: 0x8000_4000, bytes: 4, blocks: [{ region: 1, address: 0x8000_4000, bytes: 4 }] },
      ],
    ]);
  });
});
