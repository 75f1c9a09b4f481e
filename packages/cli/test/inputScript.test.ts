import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInputScript } from '../src/config/inputScript.js';

const text = (data: Uint8Array): string => new TextDecoder().decode(data);

function read(script: string): { entries: (readonly [string, string])[]; problems: number[] } {
  const problems: number[] = [];
  const entries = readInputScript(script, (line) => void problems.push(line));
  return { entries: entries.map(({ at, data }) => [at, text(data)]), problems };
}

describe('a script of input', () => {
  it('has a time, a kind and a content a line', () => {
    expect(
      read('# requests\n10ms line sort 3 1 2\r\n\n  1.5s text no end\n2s bytes 41 0a\n3s line\n').entries,
    ).toEqual([
      ['10ms', 'sort 3 1 2\n'],
      ['1.5s', 'no end'],
      ['2s', 'A\n'],
      ['3s', '\n'],
    ]);
  });

  it('keeps spaces within and at the end of a text, and reads quoted text as JSON', () => {
    expect(read('1ms text  a  b \n2ms text " a\\tb\\u00e9"').entries).toEqual([
      ['1ms', ' a  b '],
      ['2ms', ' a\tbé'],
    ]);
  });

  it('carries any text, quoted, and any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array({ minLength: 1 }), (written, bytes) => {
        const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
        const chunks = readInputScript(`1ms text ${JSON.stringify(written)}\n2ms bytes ${hex}`, () => {
          throw new Error('no line is malformed');
        });
        expect(chunks).toEqual([
          { at: '1ms', data: new TextEncoder().encode(written) },
          { at: '2ms', data: bytes },
        ]);
      }),
    );
  });

  it('reports every line that it cannot read, and reads the others', () => {
    const { entries, problems } = read(
      '1ms line a\n0ms line b\nx\n1ms\n5ms blob x\n2ms line c\n1ms bytes\n1ms bytes 1',
    );
    expect(entries.map(([, content]) => content)).toEqual(['a\n', 'c\n']);
    expect(problems).toEqual([2, 3, 4, 5, 7, 8]);
  });

  it('either reads a line or reports that it cannot, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (lines) => {
        const script = lines.map((line) => line.replaceAll('\n', ' '));
        const { entries, problems } = read(script.join('\n'));
        const silent = script.filter((line) => /^\s*(#|$)/.test(line)).length;
        expect(entries.length + problems.length + silent).toBe(script.length);
      }),
    );
  });
});
