import { describe, expect, it } from 'vitest';
import { memoryBytes } from '../src/config/memorySize.js';

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
