import { ERROR_CODES, messageOf, RmkError } from '@rmk/core';
import { describe, expect, it } from 'vitest';

describe('an RmkError', () => {
  it('begins with its code and lists its problems', () => {
    const error = new RmkError('RMK_ERR_OPTIONS', 'hang-detector has 2 problems', {
      plugin: 'hang-detector',
      problems: ['options.threshold: missing', 'options.colour: unknown'],
    });
    expect(error.message).toBe(
      'RMK_ERR_OPTIONS: hang-detector has 2 problems\n  - options.threshold: missing\n  - options.colour: unknown',
    );
    expect(error.code).toBe('RMK_ERR_OPTIONS');
    expect(error.plugin).toBe('hang-detector');
    expect(error.problems).toHaveLength(2);
    expect(error.name).toBe('RmkError');
    expect(error).toBeInstanceOf(Error);
  });

  it('has a cause only where there is one', () => {
    const cause = new Error('no device');
    expect(new RmkError('RMK_ERR_START', 'a: start() threw', { cause }).cause).toBe(cause);
    expect('cause' in new RmkError('RMK_ERR_START', 'a: start() threw')).toBe(false);
  });

  it('has a code of one form, with a meaning', () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^RMK_ERR_[A-Z]+$/);
      expect(meaning).not.toBe('');
    }
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
