import { HOURS_PER_YEAR } from '../chain/measures.js';
import type { Estimate } from '../numerics/interval.js';
import { type NumberName, withNumber } from './parameters.js';
import { retainedOf } from './errorClasses.js';
import { availabilityOf, valuesOf } from './study.js';
import type { Setting, Variant } from './variant.js';

/** What one uncertain input does to the downtime, all others held. */
export interface TornadoBar {
  readonly input: string;
  readonly low: number;
  readonly high: number;
  /** Minutes a year at `low` and at `high`. */
  readonly downtimeAtLow: number;
  readonly downtimeAtHigh: number;
  /** Where low and high come from. */
  readonly range: string;
}

export interface Tornado {
  readonly variant: Variant;
  readonly downtimeMinutesPerYear: number;
  /** Widest first. */
  readonly bars: readonly TornadoBar[];
}

const COMMON: readonly NumberName[] = [
  'vmMttfHours',
  'vmRestartSeconds',
  'hypervisorMttfHours',
  'hypervisorRestartSeconds',
];
const LOCAL: readonly NumberName[] = [
  'checkpointVmMttfHours',
  'checkpointVmRestartSeconds',
  'rollbackSeconds',
];
const REPLICA: readonly NumberName[] = ['checkpointVmMttfHours', 'failoverSeconds', 'replicaRestartSeconds'];
const DISK: readonly NumberName[] = ['diskIntervalSeconds', 'diskWriteSeconds', 'diskLoadSeconds'];

/**
 * A tornado of the downtime: each time is divided and multiplied by `factor`, and pc goes over its own interval where
 * one is known, else it is divided and multiplied like the others.
 */
export function tornado(
  variant: Variant,
  setting: Setting,
  { factor = 1.5, corruption }: { factor?: number; corruption?: Estimate } = {},
): Tornado {
  const downtime = (availability: number) => (1 - availability) * HOURS_PER_YEAR * 60;
  const names =
    variant === 'none'
      ? COMMON
      : [...COMMON, ...(variant === 'replica' ? REPLICA : LOCAL), ...(variant === 'disk' ? DISK : [])];
  const bars: TornadoBar[] = names.map((name) => {
    const value = setting.parameters[name];
    const [low, high] = [value / factor, value * factor];
    const at = (x: number) =>
      downtime(availabilityOf(variant, { ...setting, parameters: withNumber(setting.parameters, name, x) }));
    return {
      input: name,
      low,
      high,
      downtimeAtLow: at(low),
      downtimeAtHigh: at(high),
      range: `÷ and × ${factor}`,
    };
  });
  if (variant !== 'none') {
    const pc = valuesOf(variant, setting)['pc'] ?? 0;
    const known = corruption !== undefined;
    const [low, high] = known ? [corruption.low, corruption.high] : [pc / factor, Math.min(1, pc * factor)];
    bars.push({
      input: `pc (k = ${retainedOf(variant, setting.parameters)})`,
      low,
      high,
      downtimeAtLow: downtime(availabilityOf(variant, setting, low)),
      downtimeAtHigh: downtime(availabilityOf(variant, setting, high)),
      range: known ? `its ${100 * corruption.confidence} % interval` : `÷ and × ${factor}; no interval known`,
    });
  }
  const width = (bar: TornadoBar) => Math.abs(bar.downtimeAtHigh - bar.downtimeAtLow);
  return {
    variant,
    downtimeMinutesPerYear: downtime(availabilityOf(variant, setting)),
    bars: bars.toSorted((a, b) => width(b) - width(a)),
  };
}
