import { ERROR_CODES, hasCode, messageOf, RmkError } from '@rmk/core';
import { describe, expect, it, vi } from 'vitest';

describe('an RmkError', () => {
  const problems = [
    { path: 'options.threshold', message: 'missing' },
    { path: '', message: 'unknown key colour' },
  ];

  it('begins with its code and lists its problems', () => {
    const plugin = 'hang-detector';
    const error = new RmkError('RMK_ERR_OPTIONS', 'hang-detector has 2 problems', { plugin, problems });
    expect(error.message).toBe(
      'RMK_ERR_OPTIONS: hang-detector has 2 problems\n  - options.threshold: missing\n  - unknown key colour',
    );
    expect(error).toMatchObject({
      code: 'RMK_ERR_OPTIONS',
      reason: 'hang-detector has 2 problems',
      plugin,
      problems,
    });
    expect(error.name).toBe('RmkError');
    expect(error).toBeInstanceOf(Error);
  });

  it('says its only problem in the same line', () => {
    const error = new RmkError('RMK_ERR_INPUT', 'invalid options', { problems: problems.slice(0, 1) });
    expect(error.message).toBe('RMK_ERR_INPUT: invalid options: options.threshold: missing');
  });

  it('has a cause only if there is one', () => {
    const cause = new Error('no device');
    expect(new RmkError('RMK_ERR_START', 'a: start() threw', { cause }).cause).toBe(cause);
    expect('cause' in new RmkError('RMK_ERR_START', 'a: start() threw')).toBe(false);
  });

  it('is known by its code', () => {
    const error: unknown = new RmkError('RMK_ERR_GONE', 'the VM is gone');
    expect(hasCode(error)).toBe(true);
    expect(hasCode(error, 'RMK_ERR_STATE', 'RMK_ERR_GONE')).toBe(true);
    expect(hasCode(error, 'RMK_ERR_STATE')).toBe(false);
    expect(hasCode(Object.assign(new Error('x'), { code: 'RMK_ERR_GONE' }), 'RMK_ERR_GONE')).toBe(false);
    for (const other of [undefined, null, 5, 'RMK_ERR_GONE', {}]) expect(hasCode(other)).toBe(false);
  });

  it('of another copy of this package is one too', async () => {
    vi.resetModules();
    const other = await import('@rmk/core');
    expect(other.RmkError).not.toBe(RmkError);
    const error = new other.RmkError('RMK_ERR_LOGDAMAGED', 'the page log fails its checksum');
    expect(error).toBeInstanceOf(RmkError);
    expect(hasCode(error, 'RMK_ERR_LOGDAMAGED')).toBe(true);
    expect(other.hasCode(new RmkError('RMK_ERR_GONE', 'the VM is gone'), 'RMK_ERR_GONE')).toBe(true);
  });

  it('is no instance of a class that extends it', () => {
    class Special extends RmkError {}
    expect(new Special('RMK_ERR_STATE', 'x')).toBeInstanceOf(Special);
    expect(new Special('RMK_ERR_STATE', 'x')).toBeInstanceOf(RmkError);
    expect(new RmkError('RMK_ERR_STATE', 'x')).not.toBeInstanceOf(Special);
  });

  it('has a code of one form, with a meaning', () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^RMK_ERR_[A-Z]+$/);
      expect(meaning).not.toBe('');
    }
  });
});

describe('RmkError.combining', () => {
  const missing = new RmkError('RMK_ERR_MISSING', 'a requires P_VMIO', { plugin: 'a' });
  const options = new RmkError('RMK_ERR_OPTIONS', 'b', {
    plugin: 'b',
    problems: [
      { path: 'options.size', message: 'too big' },
      { path: 'options.name', message: 'missing' },
    ],
  });
  const into = { code: 'RMK_ERR_REFUSED', reason: 'no plugin was started' } as const;

  it('returns the only error as it is', () => {
    expect(RmkError.combining([options], into)).toBe(options);
  });

  it('lists the problems of all, each with its code and plugin', () => {
    const error = RmkError.combining([missing, options], into);
    expect(error.message).toBe(
      'RMK_ERR_REFUSED: no plugin was started' +
        '\n  - RMK_ERR_MISSING: a requires P_VMIO' +
        '\n  - RMK_ERR_OPTIONS: b: options.size: too big' +
        '\n  - RMK_ERR_OPTIONS: b: options.name: missing',
    );
    expect(error.problems).toHaveLength(3);
    expect(error.plugin).toBeUndefined();
    expect((error.cause as AggregateError).errors).toEqual([missing, options]);
  });

  it('does not repeat its own code and plugin', () => {
    const other = new RmkError('RMK_ERR_MISSING', 'a requires P_VCPU', { plugin: 'a' });
    const own = { code: 'RMK_ERR_MISSING', plugin: 'a', reason: 'a has 2 problems' } as const;
    const error = RmkError.combining([missing, other], own);
    expect(error.problems).toEqual([
      { path: '', message: 'a requires P_VMIO' },
      { path: '', message: 'a requires P_VCPU' },
    ]);
    expect(error.plugin).toBe('a');
  });
});

describe('messageOf', () => {
  it.each([
    [new Error('broken'), 'broken'],
    [new RmkError('RMK_ERR_STATE', 'stopped'), 'RMK_ERR_STATE: stopped'],
    ['broken', 'broken'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ code: 5 }, '[object Object]'],
    [Symbol('broken'), 'Symbol(broken)'],
    [Object.create(null), 'something that cannot be printed'],
    [Object.assign(new Error(), { message: Symbol('broken') }), 'Symbol(broken)'],
  ])('gives the message of %o', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});
