import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestConsole, TAKEN_BACK } from '../src/run/guestConsole.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is shown of these pieces of output, each at its position, to the end. */
function shown(...pieces: readonly (readonly [position: number, text: string])[]): readonly string[] {
  const lines: string[] = [];
  const console = new GuestConsole((line) => void lines.push(line));
  for (const [position, text] of pieces) console.append(position, bytes(text));
  console.finish();
  return lines;
}

describe('the console of a guest', () => {
  it('shows each line when it is whole, and the last one at the end', () => {
    expect(shown([0, 'a li'], [4, 'ne\nano'], [10, 'ther'])).toEqual(['a line', 'another']);
  });

  it('shows once what a guest writes again after a rollback', () => {
    expect(shown([0, 'one\ntwo\nth'], [4, 'two\nthree\n'])).toEqual(['one', 'two', 'three']);
  });

  it('says so if a guest writes something else than what was shown, and shows the line again', () => {
    expect(shown([0, 'one\nwrong\n'], [4, 'two\n'])).toEqual(['one', 'wrong', TAKEN_BACK, 'two']);
    expect(shown([0, 'one\nwrong\n'], [6, 'ite\n'])).toEqual(['one', 'wrong', TAKEN_BACK, 'write']);
  });

  it('says so where what was shown does not come again', () => {
    expect(shown([0, 'one\nwrong\n'], [4, ''])).toEqual(['one', 'wrong', TAKEN_BACK]);
  });

  it('breaks lines that are too long, and makes control characters visible', () => {
    expect(shown([0, 'x'.repeat(5000)]).map(({ length }) => length)).toEqual([4096, 904]);
    expect(shown([0, '\u001B[2J\tbell\u0007\r\n'])).toEqual(['\\x1b[2J\tbell\\x07']);
  });

  it('forgets what is old, and goes on', () => {
    const line = `${'x'.repeat(99)}\n`;
    const count = 40_000;
    const lines: string[] = [];
    const console = new GuestConsole((text) => void lines.push(text));
    for (let index = 0; index < count; index++) console.append(index * line.length, bytes(line));
    expect(lines).toHaveLength(count);
    console.append(0, bytes('from the start\n'));
    expect(lines.slice(count)).toEqual([TAKEN_BACK, 'from the start']);
  });

  it('shows the committed output of a guest that repeats itself exactly, however it is rolled back', () => {
    const output = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 60 });
    const moves = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 20 })));
    fc.assert(
      fc.property(output, moves, (text, rollbacks) => {
        const pieces: [number, string][] = [];
        let at = 0;
        for (const [back, length] of rollbacks) {
          at = Math.max(0, at - back);
          pieces.push([at, text.slice(at, at + length)]);
          at = Math.min(text.length, at + length);
        }
        pieces.push([at, text.slice(at)]);
        expect(shown(...pieces)).toEqual(text.replace(/\n$/, '').split('\n'));
      }),
    );
  });

  it('ends with the committed output of any guest, from where it was last taken back', () => {
    const piece = fc.tuple(
      fc.nat({ max: 10 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece), (written) => {
        let committed = '';
        const pieces = written.map(([back, text]): [number, string] => {
          const position = Math.max(0, committed.length - back);
          committed = committed.slice(0, position) + text;
          return [position, text];
        });
        const lines = shown(...pieces);
        const after = lines.slice(lines.lastIndexOf(TAKEN_BACK) + 1).join('\n');
        expect(committed.replace(/\n$/, '').endsWith(after)).toBe(true);
        if (!lines.includes(TAKEN_BACK)) expect(after).toBe(committed.replace(/\n$/, ''));
      }),
    );
  });
});
