import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryBytes } from '../src/config/memorySize.js';
import { nearest, suggestion } from '../src/config/nearest.js';

describe('the nearest word', () => {
  it('is one with a mistake or two, in letters of any case', () => {
    const words = ['interval', 'retain', 'algorithm'];
    expect(nearest('intervall', words)).toBe('interval');
    expect(nearest('RETAIN', words)).toBe('retain');
    expect(nearest('allgorythm', words)).toBe('algorithm');
    expect(nearest('hang', words)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });

  it('is a word itself where that is known', () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), (word) => nearest(word, ['zzzzzzzz', word]) === word));
  });

  it('is suggested, else all are', () => {
    expect(suggestion('taks', ['tasks', 'compressor'])).toBe('did you mean tasks?');
    expect(suggestion('x', ['tasks', 'compressor'])).toBe('choose one of tasks, compressor');
  });
});

describe('a size of memory', () => {
  it.each([
    ['512KiB', 524_288],
    ['32MiB', 33_554_432],
    ['0.5GiB', 536_870_912],
    [4096, 4096],
    ['32MB', undefined],
    ['32', undefined],
    ['', undefined],
    ['-1MiB', undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('%j is %j bytes', (size, bytes) => {
    expect(memoryBytes(size)).toBe(bytes);
  });
});
