import type { EpochPlan, EpochReport } from '@rmk/core';
import { cowpAdaptiveOptions, preSavingPays } from '@rmk/cowp-adaptive';
import { cowpDecayOptions, decayedPlan } from '@rmk/cowp-decay';
import { unionPlan } from '@rmk/cowp-union';
import { meanOf } from './figures.js';
import { retainedAt } from './testedGuest.js';

/** An algorithm's plan for a history of closed epochs, newest first. */
export type Planner = (history: readonly EpochReport[]) => EpochPlan;

/** What an algorithm would have done: exact, since what a guest writes depends on no algorithm. */
export interface Foresight {
  readonly algorithm: string;
  readonly pageFaults: number;
  readonly preSavedInVain: number;
  /** Page faults that COWB has and this algorithm has not, on average of an epoch. */
  readonly faultsSaved: number;
}

const DECAY = cowpDecayOptions.parse({});
/** What a page fault costs against saving a page ahead: that of the algorithm that weighs them. */
export const { faultCost: FAULT_COST } = cowpAdaptiveOptions.parse({});

/** The algorithms that are compared, each with its default options. */
export const PLANNERS: Readonly<Record<string, Planner>> = {
  cowb: () => ({ preSave: 'none' }),
  cowp: () => ({ preSave: 'updated' }),
  'cowp-union': unionPlan,
  'cowp-decay': (history) => decayedPlan(history, DECAY),
  'cowp-adaptive': (history) => ({ preSave: preSavingPays(history, FAULT_COST) ? 'updated' : 'none' }),
};

/**
 * Applies a planner to the pages that a guest wrote in epochs of `intervalMs`. The first epoch is left out: nothing was
 * written before it.
 */
export function foresight(
  algorithm: string,
  planner: Planner,
  epochs: readonly EpochReport[],
  intervalMs: number,
): Foresight {
  const faults: number[] = [];
  const inVain: number[] = [];
  const written: number[] = [];
  let history: readonly EpochReport[] = [];
  for (const [index, { updated }] of epochs.entries()) {
    const ended = epochs[index - 1];
    // The plan is made before the epoch that ends is reported; the driver adds its pages to those of the plan.
    const plan = planner(history);
    const foreseen = new Set(plan.preSave === 'updated' ? (ended?.updated ?? []) : []);
    for (const frame of plan.add ?? []) foreseen.add(frame);
    for (const frame of plan.drop ?? []) foreseen.delete(frame);
    const hits = updated.filter((frame) => foreseen.has(frame)).length;
    if (ended !== undefined) {
      faults.push(updated.length - hits);
      inVain.push(foreseen.size - hits);
      written.push(updated.length);
      history = [ended, ...history].slice(0, retainedAt(intervalMs));
    }
  }
  const pageFaults = meanOf(faults);
  return { algorithm, pageFaults, preSavedInVain: meanOf(inVain), faultsSaved: meanOf(written) - pageFaults };
}

/** What an epoch costs, in pages saved ahead: the rule by which algorithms are compared. */
export function costOf({ pageFaults, preSavedInVain }: Foresight): number {
  return FAULT_COST * pageFaults + preSavedInVain;
}

/** The first of those that cost least. */
export function cheapest(foresights: readonly Foresight[]): Foresight {
  const [first, ...others] = foresights;
  if (first === undefined) throw new RangeError('no algorithm to choose from');
  return others.reduce((best, other) => (costOf(other) < costOf(best) ? other : best), first);
}
