import {
  DURATION_HINT,
  durationHint,
  isDuration,
  nanoseconds,
  RmkError,
  type Duration,
  type DurationUnit,
} from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const SECONDS: Readonly<Record<DurationUnit, number>> = {
  ns: 1e-9,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
};
const unit = fc.constantFrom<DurationUnit>('ns', 'us', 'ms', 's', 'min', 'h');

describe('a duration', () => {
  it.each<[Duration, number]>([
    ['1ns', 1],
    ['50us', 50e3],
    ['1.1ms', 1_100_000],
    ['0.3s', 300e6],
    ['2min', 120e9],
    ['0.5h', 1800e9],
    ['2501h', 9_003_600e9],
    ['0.000001ms', 1],
  ])('%s is %d ns', (text, ns) => {
    expect(isDuration(text)).toBe(true);
    expect(nanoseconds(text)).toBe(ns);
  });

  it.each([
    '',
    'ms',
    '50',
    '50 ms',
    '-1ms',
    '+1ms',
    '1e3ms',
    '.5s',
    '1.s',
    '1,5s',
    '50MS',
    '50ms ',
    '1d',
    '0x5s',
  ])('is not written %j', (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => nanoseconds(text as Duration)).toThrow(`${JSON.stringify(text)}: ${DURATION_HINT}`);
  });

  it.each([undefined, null, 50, 50n])('is not %o', (value) => {
    expect(isDuration(value)).toBe(false);
    const read = () => nanoseconds(value as unknown as Duration);
    expect(read).toThrow(`RMK_ERR_INPUT: ${String(value)}: ${DURATION_HINT}`);
  });

  it('is not what only prints as one', () => {
    expect(isDuration({ toString: () => '50ms' })).toBe(false);
  });

  it.each(['3000h', '999999999s', '9007199254740992ns', `${'9'.repeat(40)}s`])(
    'that is too long is refused as such: %s',
    (text) => {
      expect(isDuration(text)).toBe(false);
      const tooLong = 'expected a duration of at most 104 days (2^53 ns): this one is too long';
      expect(durationHint(text)).toBe(tooLong);
      expect(() => nanoseconds(text as Duration)).toThrow(`"${text}": ${tooLong}`);
    },
  );

  it.each(['soon', 5, undefined, '0s', '0.5ns', '9007199254740991ns'])(
    'that is not too long: %j',
    (given) => {
      expect(durationHint(given)).toBe(DURATION_HINT);
    },
  );

  it.each(['0ms', '0.0s'])('above zero is not %s', (text) => {
    expect(isDuration(text)).toBe(false);
  });

  it.each(['1.0001ns', '0.5ns', '0.0000001ms', '3000h', `${'9'.repeat(40)}s`])(
    'is not %s: no whole or no safe number of nanoseconds',
    (text) => {
      expect(isDuration(text)).toBe(false);
      expect(() => nanoseconds(text as Duration)).toThrow(RmkError);
    },
  );

  it('is exact for every whole number of every unit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2500 }), unit, (amount, of) => {
        expect(nanoseconds(`${amount}${of}`)).toBe(Math.round(amount * SECONDS[of] * 1e9));
      }),
    );
  });

  it('written with a fraction is the same as written in nanoseconds', () => {
    const decimal = fc.constantFrom<[DurationUnit, number]>(['us', 3], ['ms', 6], ['s', 9]);
    fc.assert(
      fc.property(fc.maxSafeNat(), decimal, (ns, [of, digits]) => {
        const padded = String(ns).padStart(digits + 1, '0');
        const text: Duration = `${padded.slice(0, -digits)}.${padded.slice(-digits)}${of}` as Duration;
        expect(nanoseconds(text)).toBe(ns);
        expect(isDuration(text)).toBe(ns > 0);
      }),
    );
  });
});
