import { pathText, problemsOf, problemText } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

describe('the path of a problem', () => {
  it.each([
    [[], ''],
    [['guests', 1, 'memory'], 'guests[1].memory'],
    [[0, 'a'], '[0].a'],
    [['onFailure', '@rmk/cowp'], 'onFailure["@rmk/cowp"]'],
    [['events', 'a.b', 'c-d'], 'events["a.b"].c-d'],
    [[{ key: 'disks' }, { key: 2 }], 'disks[2]'],
  ])('%j is printed as %s', (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  it('is that of the issue, below where the value is', () => {
    const issues = z.strictObject({ ports: z.array(z.number()) }).safeParse({ ports: [1, 'x'] })
      .error?.issues;
    expect(problemsOf(issues ?? [], ['options'])).toEqual([
      { path: 'options.ports[1]', message: 'Invalid input: expected number, received string' },
    ]);
  });
});

describe('a problem as text', () => {
  it.each([
    [{ path: '', message: 'missing' }, 'missing'],
    [{ path: 'options.a', message: 'missing' }, 'options.a: missing'],
    [{ path: 'options.a', message: 'missing', plugin: 'p' }, 'p: options.a: missing'],
    // Its message names it.
    [{ path: '', message: 'p requires P_VMIO', plugin: 'p' }, 'p requires P_VMIO'],
    [
      { path: 'a', message: 'missing', plugin: 'p', code: 'RMK_ERR_OPTIONS' as const },
      'RMK_ERR_OPTIONS: p: a: missing',
    ],
  ])('%j is %s', (problem, text) => {
    expect(problemText(problem)).toBe(text);
  });
});
