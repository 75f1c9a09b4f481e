import { proportion, type Estimate } from '@rmk/model';
import type { ExperimentRecord } from '../experiment/experimentRecord.js';
import { isEffective, OUTCOMES, type Fate, type Outcome } from '../experiment/outcome.js';

/** Counts and rates of a group of experiments. */
export interface Summary {
  readonly injected: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly detected: number;
  /** Those that end wrong or not at all without recovery. */
  readonly effective: number;
  /** Undefined while there is nothing that it could be a share of. */
  readonly recoveredOfDetected: Estimate | undefined;
  readonly recoveredOfEffective: Estimate | undefined;
  /** The end without recovery against the outcome with it. */
  readonly twins: Readonly<Record<Fate, Readonly<Partial<Record<Outcome, number>>>>>;
  /** How many of the experiments that ran to the end disagreed with what had been proved. */
  readonly control: { readonly agrees: number; readonly disagrees: number };
}

const FATES: readonly Fate[] = ['right', 'wrong-result', 'failed', 'hang'];

/** Wilson's 95 % intervals: sound near 0 and 1. */
export function summarise(records: readonly ExperimentRecord[]): Summary {
  const count = (is: (record: ExperimentRecord) => boolean): number => records.filter(is).length;
  const of = (outcome: Outcome): number => count((record) => record.outcome === outcome);
  // Without a bug, nothing that would have ended right counts as a recovery; detections of it are left out of both.
  const detected = count((record) => record.detections > 0 && isEffective(record));
  const effective = count(isEffective);
  const recovered = of('recovered');
  return {
    injected: records.length,
    outcomes: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, of(outcome)])) as Record<
      Outcome,
      number
    >,
    detected,
    effective,
    recoveredOfDetected: detected === 0 ? undefined : proportion(recovered, detected),
    recoveredOfEffective: effective === 0 ? undefined : proportion(recovered, effective),
    twins: Object.fromEntries(FATES.map((fate) => [fate, outcomesOf(records, fate)])) as Summary['twins'],
    control: {
      agrees: count(({ control }) => control === 'agrees'),
      disagrees: count(({ control }) => control === 'disagrees'),
    },
  };
}

function outcomesOf(records: readonly ExperimentRecord[], fate: Fate): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const { twin, outcome } of records) if (twin === fate) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Experiments after which a rate is known to ± `margin` with 95 % confidence, whatever it is. */
export function experimentsFor(margin: number): number {
  let count = 1;
  while (halfWidth(count) > margin) count *= 2;
  let low = count / 2;
  while (low + 1 < count) {
    const middle = Math.floor((low + count) / 2);
    if (halfWidth(middle) > margin) low = middle;
    else count = middle;
  }
  return Math.ceil(count);
}

/** Of a rate of one half, where the interval is widest. */
function halfWidth(count: number): number {
  const { low, high } = proportion(count / 2, count);
  return (high - low) / 2;
}

/** Whether RMK did harm, or a proof was wrong: what a campaign must fail for. */
export function isFailureOfRmk({ outcome, control }: ExperimentRecord): boolean {
  return outcome === 'broke-healthy-guest' || control === 'disagrees';
}
