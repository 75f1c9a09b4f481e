import { describe, expect, it } from 'vitest';
import { parseLatencySamples } from '../src/corruption/latencySamples.js';

describe('a sample file', () => {
  it('holds one latency a line under a header that names the definition', () => {
    const samples = parseLatencySamples(
      '# corruption latency in ms: injection to detection\n12.5\n\n  0\r\n1e3\ninf\nInf\n',
    );
    expect(samples.samples).toEqual([12.5, 0, 1000, Infinity, Infinity]);
    expect(samples.definition).toBe('corruption latency in ms: injection to detection');
    expect(samples.warnings).toEqual([]);
  });

  it('is taken with a warning when no header says what was measured', () => {
    expect(parseLatencySamples('1\n2\n', 'a.txt').warnings).toEqual([
      'a.txt has no # header that says "injection to detection"; its numbers are taken as that',
    ]);
    expect(parseLatencySamples('# run of Tuesday\n1\n').warnings).toHaveLength(1);
  });

  it('is refused when its header names another latency', () => {
    expect(() => parseLatencySamples('# error latency, first read to detection\n3\n')).toThrow(
      /RMK_ERR_INPUT.*first read to detection/,
    );
  });

  it('is refused when it is empty, or has only a header', () => {
    expect(() => parseLatencySamples('', 'x.txt')).toThrow('RMK_ERR_INPUT: x.txt holds no latency');
    expect(() => parseLatencySamples('# injection to detection\n')).toThrow(/holds no latency/);
  });

  it('is refused with lines that a terminal can print, and that are not too long', () => {
    const binary = `\u001B[31m\u0007${'x'.repeat(1000)}`;
    expect(() => parseLatencySamples(binary)).toThrow(
      `"\uFFFD[31m\uFFFD${'x'.repeat(34)}…" is not a latency`,
    );
  });

  it('is refused with every line that is no latency', () => {
    const text = '# injection to detection\n1\nabc\n-3\nNaN\n-inf\n4 5\n0x10\n.\n1e999\n';
    const lines = [3, 4, 5, 6, 7, 8, 9, 10];
    expect(() => parseLatencySamples(text, 'x.txt')).toThrow(/x\.txt is not a sample file/);
    for (const line of lines) expect(() => parseLatencySamples(text)).toThrow(new RegExp(`line ${line}: `));
  });
});
