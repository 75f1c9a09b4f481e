import { nearest, suggestion } from '@rmk/kernel';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('the nearest word', () => {
  it('is one with a mistake or two, in letters of any case', () => {
    const words = ['interval', 'retain', 'algorithm'];
    expect(nearest('intervall', words)).toBe('interval');
    expect(nearest('RETAIN', words)).toBe('retain');
    expect(nearest('allgorythm', words)).toBe('algorithm');
    expect(nearest('hang', words)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
    // One mistake in three letters, not two.
    expect(nearest('tsk', ['tas'])).toBeUndefined();
    expect(nearest('tsa', ['tsk'])).toBe('tsk');
  });

  it('is a word itself where that is known', () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), (word) => nearest(word, ['zzzzzzzz', word]) === word));
  });

  it('is suggested, else all are', () => {
    expect(suggestion('taks', ['tasks', 'compressor'])).toBe('did you mean tasks?');
    expect(suggestion('x', ['tasks', 'compressor'])).toBe('choose one of tasks, compressor');
  });
});
