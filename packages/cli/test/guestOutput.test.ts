import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamedOutput, type GuestFiles } from '../src/run/guestOutput.js';
import { folderWith } from './rmk.js';

function filesIn(folder: string): GuestFiles {
  return { committed: join(folder, 'committed'), wire: join(folder, 'wire') };
}

/** Pieces of output, each after going back by some bytes, as a rollback does. */
const pieces = fc.array(
  fc.record({ back: fc.nat(40), data: fc.uint8Array({ minLength: 1, maxLength: 30 }) }),
  { maxLength: 30 },
);

describe('output that goes to files as it comes', () => {
  it('is what an array that is cut and appended to holds, and on the wire everything', () => {
    fc.assert(
      fc.property(pieces, fc.nat(40), (all, backAtEnd) => {
        const files = filesIn(folderWith({}));
        let committed: number[] = [];
        const wire: number[] = [];
        const output = new StreamedOutput(files, () => committed.length);
        const counted = new StreamedOutput(undefined, () => committed.length);
        for (const { back, data } of all) {
          const position = Math.max(0, committed.length - back);
          output.append({ position, data });
          counted.append({ position, data });
          committed = [...committed.slice(0, position), ...data];
          wire.push(...data);
        }
        // Undone, and the guest puts out nothing more.
        committed = committed.slice(0, Math.max(0, committed.length - backAtEnd));
        expect(output.finish()).toEqual([]);
        expect([...readFileSync(files.committed)]).toEqual(committed);
        expect([...readFileSync(files.wire)]).toEqual(wire);
        for (const { committedBytes, wireBytes } of [output, counted]) {
          expect({ committedBytes, wireBytes }).toEqual({
            committedBytes: committed.length,
            wireBytes: wire.length,
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the files of an earlier run until there is output, and makes empty ones without', () => {
    const folder = folderWith({ committed: 'before', wire: 'before' });
    const output = new StreamedOutput(filesIn(folder), () => 0);
    expect(readFileSync(join(folder, 'wire'), 'utf8')).toBe('before');
    expect(output.finish()).toEqual([]);
    expect(readFileSync(join(folder, 'wire'), 'utf8')).toBe('');
  });

  it('reports a file that cannot be written, once, and writes the other', () => {
    const folder = folderWith({});
    const files = filesIn(folder);
    mkdirSync(files.committed);
    const output = new StreamedOutput(files, () => 4);
    for (const position of [0, 2]) output.append({ position, data: Uint8Array.of(65, 66) });
    expect(output.finish()).toEqual([expect.stringMatching(/^.*committed could not be written: EISDIR/)]);
    expect(readFileSync(files.wire, 'utf8')).toBe('ABAB');
  });
});
