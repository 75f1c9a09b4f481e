import { MAX_CLUSTER_PAGES, type EpochPlan, type EpochReport } from '@rmk/core';
import * as fc from 'fast-check';
import { expect } from 'vitest';

/** Of the VM whose epochs are reported. */
const PAGES = 512;
const EPOCH_NS = 50e6;

const frames = fc
  .uniqueArray(fc.nat(PAGES - 1), { maxLength: 30 })
  .map((list) => Uint32Array.from(list).toSorted());

/** Reports as a driver gives them, whose numbers agree with each other. */
const report: fc.Arbitrary<EpochReport> = fc
  .record({ updated: frames, faulted: fc.nat(), inVain: fc.nat(20), openedAt: fc.nat(1000) })
  .map(({ updated, faulted, inVain, openedAt }) => {
    const pageFaults = updated.length === 0 ? 0 : faulted % (updated.length + 1);
    const preSavedInVain = Math.min(inVain, PAGES - updated.length);
    const pagesSaved = updated.length + preSavedInVain;
    return {
      openedAtNs: openedAt * EPOCH_NS,
      closedAtNs: (openedAt + 1) * EPOCH_NS,
      updated,
      pageFaults,
      pagesSaved,
      pagesPreSaved: pagesSaved - pageFaults,
      preSavedInVain,
      pauseHostNs: 0,
    };
  });

/** What an agent hands to an algorithm: newest first. */
export const histories: fc.Arbitrary<readonly EpochReport[]> = fc.array(report, { maxLength: 6 });

/** Fails where no driver would take the plan, or would have to guess what it means. */
export function expectPlan(plan: EpochPlan): void {
  expect(plan, 'a plan is given at once, not by a promise').not.toHaveProperty('then');
  expect(['none', 'updated'], 'preSave').toContain(plan.preSave);
  for (const key of ['add', 'drop'] as const) {
    const listed = plan[key];
    if (listed === undefined) continue;
    expect(listed, key).toBeInstanceOf(Uint32Array);
    if (key === 'add') {
      const outside = Array.from(listed).filter((frame) => frame >= PAGES);
      expect(outside, 'page frames to be added that no report has named').toEqual([]);
    }
  }
  const { clusterPages = 1 } = plan;
  const clusters = Array.from({ length: Math.log2(MAX_CLUSTER_PAGES) + 1 }, (_, power) => 2 ** power);
  expect(clusters, 'clusterPages').toContain(clusterPages);
}

/** By value: an algorithm may hand out the same plan, or a new one each time. */
export function planValue({ preSave, add, drop, clusterPages = 1 }: EpochPlan): unknown {
  return { preSave, add: [...(add ?? [])], drop: [...(drop ?? [])], clusterPages };
}

export function copyOf(history: readonly EpochReport[]): readonly EpochReport[] {
  return history.map((one) => ({ ...one, updated: one.updated.slice() }));
}
