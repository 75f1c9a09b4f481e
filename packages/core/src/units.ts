/** A span of time, or a point of domain time: nanoseconds since the domain was created. 2^53 ns are 104 days. */
export type Nanoseconds = number;

/** How people write a span of time: `'50ms'`, `'1.5s'`. */
export type Duration = `${number}${DurationUnit}`;
export type DurationUnit = 'ns' | 'us' | 'ms' | 's' | 'min' | 'h';

/** Bytes in a page frame; every driver of RMK tracks pages of this size. */
export const PAGE_BYTES = 4096;

/** What a schema tells the user about a bad duration. */
export const DURATION_HINT = 'expected a duration above zero such as 50ms, 1.5s or 2min';

const NANOSECONDS_PER: Readonly<Record<DurationUnit, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  min: 60e9,
  h: 3600e9,
};
const DURATION = /^(\d+(?:\.\d+)?)(ns|us|ms|s|min|h)$/;

/** Whether `value` is a duration above zero, of a whole number of nanoseconds. */
export function isDuration(value: unknown): value is Duration {
  if (typeof value !== 'string') return false;
  const parsed = parse(value);
  return parsed !== undefined && parsed > 0 && Number.isSafeInteger(parsed);
}

/** `'50ms'` in nanoseconds. Throws a `RangeError` on what is not a duration: check with {@link isDuration}. */
export function nanoseconds(duration: Duration): Nanoseconds {
  const parsed = parse(duration);
  if (parsed === undefined) throw new RangeError(`${JSON.stringify(duration)}: ${DURATION_HINT}`);
  return parsed;
}

function parse(text: string): number | undefined {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  // Rounded, since 0.1 + 0.2 problems must not turn '1.1ms' into a fraction of a nanosecond.
  const exact = Number(amount) * NANOSECONDS_PER[unit as DurationUnit];
  return Math.abs(exact - Math.round(exact)) < 1e-3 ? Math.round(exact) : exact;
}
