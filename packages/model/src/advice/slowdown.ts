import { z } from 'zod';
import { ModelError } from '../errors.js';

const NOT_A_SLOWDOWN =
  'must be a number of 0 or more: 0.063 for programs that take 6.3 % longer. Checkpoints make no program faster: measure again, with more pairs';
const NOT_A_BOUND =
  'must be a number above -1; a lower bound may be below 0, where measurements vary so much';
const bound = z.number().gt(-1, NOT_A_BOUND);

const pointSchema = z.object({
  intervalMs: z.number().positive(),
  slowdown: z.number(NOT_A_SLOWDOWN).min(0, NOT_A_SLOWDOWN),
  low: bound.optional(),
  high: bound.optional(),
});

/** The part of `rmk bench ... --json` that advice needs; whatever else the object holds is left alone. */
export const slowdownSchema = z.object({ slowdown: z.array(pointSchema).min(1) });

/**
 * How much longer programs take with a checkpoint every `intervalMs`: 0.063 is 6.3 %. `low` and `high` bound it with 95
 * %; with a negative `low` it may be 0.
 */
export type SlowdownPoint = z.infer<typeof pointSchema>;

/** Measured slowdowns, by rising interval. */
export type SlowdownCurve = readonly SlowdownPoint[];

/** Throws RMK_ERR_INPUT for content that is not `{ "slowdown": [{ "intervalMs": 50, "slowdown": 0.063 }, ...] }`. */
export function parseSlowdown(content: unknown, path: string): SlowdownCurve {
  const parsed = slowdownSchema.safeParse(content);
  if (!parsed.success) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${path} is not of the form { "slowdown": [{ "intervalMs": 50, "slowdown": 0.063, "low": 0.06, "high": 0.066 }] }`,
      parsed.error.issues.map(({ path: where, message }) => ({
        path: where.map(String).join('.') || 'the file',
        message,
      })),
    );
  }
  return checked(parsed.data.slowdown, path);
}

/** Reads slowdowns given by hand: `50=0.063,200=0.038`, or with bounds `50=0.063:0.055:0.071`. */
export function parseSlowdownText(text: string): SlowdownCurve {
  const points = text.split(',').map((part) => {
    const [interval = '', values = '', ...rest] = part.split('=');
    const [slowdown, low, high, ...more] = values
      .split(':')
      .map((number) => (number.trim() === '' ? Number.NaN : Number(number)));
    if (rest.length > 0 || more.length > 0) {
      throw new ModelError(
        'RMK_ERR_INPUT',
        `"${part}" is not a slowdown: write 50=0.063, or with bounds 50=0.063:0.055:0.071`,
      );
    }
    return {
      intervalMs: interval.trim() === '' ? Number.NaN : Number(interval),
      slowdown,
      ...(low === undefined ? {} : { low }),
      ...(high === undefined ? {} : { high }),
    };
  });
  return parseSlowdown({ slowdown: points }, `"${text}" (write 50=0.063,200=0.038)`);
}

function checked(points: readonly SlowdownPoint[], path: string): SlowdownCurve {
  const sorted = points.toSorted((a, b) => a.intervalMs - b.intervalMs);
  for (const [index, { intervalMs, slowdown, low, high }] of sorted.entries()) {
    if (intervalMs === sorted[index + 1]?.intervalMs) {
      throw new ModelError(
        'RMK_ERR_INPUT',
        `${path} gives two slowdowns at ${intervalMs} ms: keep those of one algorithm`,
      );
    }
    if ((low === undefined) !== (high === undefined)) {
      throw new ModelError(
        'RMK_ERR_INPUT',
        `${path} gives one bound only at ${intervalMs} ms: give low and high, or neither`,
      );
    }
    if (low !== undefined && high !== undefined && !(low <= slowdown && slowdown <= high)) {
      throw new ModelError(
        'RMK_ERR_INPUT',
        `${path}: at ${intervalMs} ms ${slowdown} does not lie between ${low} and ${high}`,
      );
    }
  }
  return sorted;
}

/**
 * The slowdown at an interval within the measured range: straight lines between the measured points, over the logarithm
 * of the interval. Nothing is extrapolated.
 */
export function slowdownAt(curve: SlowdownCurve, intervalMs: number): number {
  const above = curve.findIndex((point) => point.intervalMs >= intervalMs);
  const high = curve[above];
  if (high === undefined || (above === 0 && high.intervalMs !== intervalMs)) {
    throw new ModelError('RMK_ERR_INPUT', `no slowdown was measured around ${intervalMs} ms`);
  }
  const low = curve[above - 1];
  if (low === undefined || high.intervalMs === intervalMs) return high.slowdown;
  const share = Math.log(intervalMs / low.intervalMs) / Math.log(high.intervalMs / low.intervalMs);
  return low.slowdown + share * (high.slowdown - low.slowdown);
}
