import { array, assert, constantFrom, nat, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader } from '../src/qmp/lineReader.js';

describe('LineReader', () => {
  it('gives the same lines however the stream is cut', () => {
    const line = string({ unit: constantFrom('a', 'ä', ' ', '{'), maxLength: 8 });
    assert(
      property(array(line), array(nat(20)), (lines, cuts) => {
        const stream = lines.map((text) => `${text}\n`).join('');
        const reader = new LineReader('the stream', 8);
        const read: string[] = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          read.push(...reader.read(stream.slice(at, at + cut)));
          at += cut;
        }
        expect(read).toEqual(lines);
      }),
    );
  });

  it('takes a line as long as the limit and refuses one that is longer, ended or not', () => {
    expect(new LineReader('it', 4).read('1234\n')).toEqual(['1234']);
    expect(() => new LineReader('it', 4).read('12345\n')).toThrow('RMK_ERR_INPUT');
    const reader = new LineReader('it', 4);
    reader.read('123');
    expect(() => reader.read('45')).toThrow('a line of more than 4 characters');
  });
});
