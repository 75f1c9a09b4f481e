import { ModelError, requireCount } from '../errors.js';
import { isCount, type NumberName, requireNumberName, withNumber } from './parameters.js';
import { availabilityOf } from './study.js';
import type { Setting, Variant } from './variant.js';

/** A parameter and the values that it takes in turn. */
export interface Sweep {
  readonly parameter: NumberName;
  readonly values: readonly number[];
}

/** Availability against one parameter. */
export interface SweepResult extends Sweep {
  readonly series: readonly { readonly variant: Variant; readonly availability: readonly number[] }[];
}

/**
 * Reads `name=from:to:steps`, with `:log` behind it for values with equal ratios in place of equal distances. Steps is
 * the number of values; of a parameter that is a whole number, the nearest whole values, each once.
 *
 * Throws RMK_ERR_INPUT for another form, and for an unknown name (the nearest known one is offered).
 */
export function parseSweep(text: string): Sweep {
  const match = /^([^=]+)=([^:]+):([^:]+):([^:]+?)(:log)?$/.exec(text.trim());
  if (match === null) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `"${text}" is not a sweep: write name=from:to:steps, as in intervalMs=10:1000:20, or name=from:to:steps:log`,
    );
  }
  const [, name = '', ...rest] = match;
  const parameter = requireNumberName(name.trim());
  const [from = Number.NaN, to = Number.NaN, steps = Number.NaN] = rest
    .slice(0, 3)
    .map((number) => (number.trim() === '' ? Number.NaN : Number(number)));
  if (!Number.isFinite(from) || !Number.isFinite(to)) {
    throw new ModelError('RMK_ERR_INPUT', `the sweep "${text}" must go from a number to a number`);
  }
  requireCount(`the number of values of the sweep "${text}"`, steps, 2);
  if (steps > 10_000)
    throw new ModelError('RMK_ERR_INPUT', `the sweep "${text}" has too many values: 10000 at most`);
  const logarithmic = match[5] !== undefined;
  if (logarithmic && !(from > 0 && to > 0)) {
    throw new ModelError('RMK_ERR_INPUT', `the logarithmic sweep "${text}" must stay above zero`);
  }
  const values = spread(from, to, steps, logarithmic);
  if (!isCount(parameter)) return { parameter, values };
  // A number of checkpoints or of VMs is whole: the nearest ones, each once.
  return { parameter, values: [...new Set(values.map(Math.round))] };
}

/** `steps` values from `from` to `to`, both included exactly. */
export function spread(from: number, to: number, steps: number, logarithmic = false): readonly number[] {
  return Array.from({ length: steps }, (_, i) => {
    if (i === 0) return from;
    if (i === steps - 1) return to;
    const share = i / (steps - 1);
    return logarithmic ? from * (to / from) ** share : from + share * (to - from);
  });
}

/** Parameters that one variant alone has. */
const ONLY_OF: Partial<Record<NumberName, Variant>> = {
  retained: 'k',
  vms: 'vms',
  failoverSeconds: 'replica',
  replicaRestartSeconds: 'replica',
  diskIntervalSeconds: 'disk',
  diskWriteSeconds: 'disk',
  diskLoadSeconds: 'disk',
};

/** The variant that alone depends on the parameter, if there is one. */
export function onlyVariantOf(parameter: NumberName): Variant | undefined {
  return ONLY_OF[parameter];
}

/**
 * Solves the variants for each value of the sweep.
 *
 * Throws RMK_ERR_INPUT for a value that the parameter cannot have, for the sweep of a latency parameter that is not in
 * use because the latency was measured or comes from failure classes, and for that of a parameter which none of the
 * variants has.
 */
export function runSweep(sweep: Sweep, setting: Setting, variants: readonly Variant[]): SweepResult {
  const latencyNamed = sweep.parameter === 'latencyBoundMs' || sweep.parameter === 'latencyPercentile';
  if (latencyNamed && (setting.latency !== undefined || setting.parameters.classes !== undefined)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${sweep.parameter} cannot be swept: the latency comes from ${setting.latency === undefined ? 'failure classes' : 'samples'}, which it does not enter`,
    );
  }
  const only = onlyVariantOf(sweep.parameter);
  if (only !== undefined && !variants.includes(only)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${sweep.parameter} cannot be swept: of the variants only "${only}" depends on it, which is not asked for`,
    );
  }
  const settings = sweep.values.map((value) => ({
    ...setting,
    parameters: withNumber(setting.parameters, sweep.parameter, value),
  }));
  return {
    ...sweep,
    series: variants.map((variant) => ({
      variant,
      availability: settings.map((each) => availabilityOf(variant, each)),
    })),
  };
}
