import { RmkError } from './rmkError.js';

/** A span of time, or a point of domain time: nanoseconds since the domain was created. 2^53 ns are 104 days. */
export type Nanoseconds = number;

/** How people write a span of time: `'50ms'`, `'1.5s'`. */
export type Duration = `${number}${DurationUnit}`;
export type DurationUnit = 'ns' | 'us' | 'ms' | 's' | 'min' | 'h';

/** Bytes in a page frame; every driver of RMK tracks pages of this size. */
export const PAGE_BYTES = 4096;

/** Longest delay of a timer of Node. A longer one elapses at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The message of a schema for an invalid duration. */
export const DURATION_HINT = 'expected a duration above zero such as 50ms, 1.5s or 2min';

const TOO_LONG = 'expected a duration of at most 104 days (2^53 ns): this one is too long';

const NANOSECONDS_PER: Readonly<Record<DurationUnit, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  min: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const DURATION = /^(\d+)(?:\.(\d+))?(ns|us|ms|s|min|h)$/;

/** Whether `value` is a duration above zero, of a whole number of nanoseconds. */
export function isDuration(value: unknown): value is Duration {
  if (typeof value !== 'string') return false;
  const parsed = parse(value);
  return parsed !== undefined && parsed > 0;
}

/** What is wrong with `given`, which {@link isDuration} refuses: the message of a schema. */
export function durationHint(given: unknown): string {
  const scaled = typeof given === 'string' ? scaledOf(given) : undefined;
  return scaled !== undefined && scaled.ns > Number.MAX_SAFE_INTEGER ? TOO_LONG : DURATION_HINT;
}

/** `'50ms'` in nanoseconds. `RMK_ERR_INPUT` on what is not a duration: check with {@link isDuration}. */
export function nanoseconds(duration: Duration): Nanoseconds {
  const parsed = parse(duration);
  if (parsed === undefined) {
    const given = typeof duration === 'string' ? JSON.stringify(duration) : String(duration);
    throw new RmkError('RMK_ERR_INPUT', `${given}: ${durationHint(duration)}`);
  }
  return parsed;
}

/** Exact: in floating point, only a tolerance could separate '1.1ms' from a fraction of a nanosecond. */
function parse(text: string): Nanoseconds | undefined {
  const scaled = scaledOf(text);
  return scaled?.isWhole === true && Number.isSafeInteger(scaled.ns) ? scaled.ns : undefined;
}

function scaledOf(text: string): { readonly ns: Nanoseconds; readonly isWhole: boolean } | undefined {
  const [, whole, fraction = '', unit] = DURATION.exec(text) ?? [];
  if (whole === undefined || unit === undefined) return undefined;
  const scaled = BigInt(whole + fraction) * NANOSECONDS_PER[unit as DurationUnit];
  const scale = 10n ** BigInt(fraction.length);
  return { ns: Number(scaled / scale), isWhole: scaled % scale === 0n };
}
