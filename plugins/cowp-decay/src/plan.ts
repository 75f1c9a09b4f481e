import type { EpochPlan, EpochReport } from '@rmk/core';
import type { CowpDecayOptions } from './options.js';

/** Fewer epochs say little of how often a page is written. */
const FEWEST_TO_FORGET = 3;

/**
 * The share of the epochs in which each page was written, the newest counting 1, the one before it `decay`, and so on:
 * 1 for a page that was written in all of them.
 */
export function frequencies(history: readonly EpochReport[], decay: number): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  let weight = 1;
  let total = 0;
  for (const { updated } of history) {
    for (const frame of updated) sums.set(frame, (sums.get(frame) ?? 0) + weight);
    total += weight;
    weight *= decay;
  }
  for (const [frame, sum] of sums) sums.set(frame, sum / total);
  return sums;
}

/** The pages of the epoch that ends, with those that are frequent, without those that are known as rare. */
export function decayedPlan(
  history: readonly EpochReport[],
  { decay, keep, forget }: CowpDecayOptions,
): EpochPlan {
  const frequent: number[] = [];
  const rare: number[] = [];
  for (const [frame, frequency] of frequencies(history, decay)) {
    if (frequency >= keep) frequent.push(frame);
    else if (frequency < forget && history.length >= FEWEST_TO_FORGET) rare.push(frame);
  }
  return {
    preSave: 'updated',
    add: Uint32Array.from(frequent).toSorted(),
    drop: Uint32Array.from(rare).toSorted(),
  };
}
