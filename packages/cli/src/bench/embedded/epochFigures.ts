import type { EpochReport } from '@rmk/core';
import { meanOf } from './figures.js';

/** Tables 3 and 4 for one program, algorithm and interval: exact, and the same in every run. */
export interface EpochFigures {
  readonly epochs: number;
  /** Of an epoch, on average. */
  readonly pagesWritten: number;
  readonly pageFaults: number;
  readonly pagesSaved: number;
  readonly pagesPreSaved: number;
  readonly preSavedInVain: number;
  readonly mostSaved: number;
  /** Pages in a checkpoint: smallest, quartiles, largest. */
  readonly savedQuartiles: readonly [number, number, number, number, number];
}

/**
 * Of whole epochs after `fromMs` alone: what comes before, and what a request closed early, would blur the averages.
 */
export function wholeEpochs(
  epochs: readonly EpochReport[],
  intervalMs: number,
  fromMs: number,
): readonly EpochReport[] {
  const intervalNs = intervalMs * 1e6;
  return epochs.filter(
    ({ openedAtNs, closedAtNs }) => openedAtNs >= fromMs * 1e6 && closedAtNs - openedAtNs === intervalNs,
  );
}

export function epochFigures(epochs: readonly EpochReport[]): EpochFigures {
  const saved = epochs.map(({ pagesSaved }) => pagesSaved).toSorted((one, other) => one - other);
  const at = (share: number): number => saved[Math.round((saved.length - 1) * share)] ?? 0;
  return {
    epochs: epochs.length,
    pagesWritten: meanOf(epochs.map(({ updated }) => updated.length)),
    pageFaults: meanOf(epochs.map(({ pageFaults }) => pageFaults)),
    pagesSaved: meanOf(saved),
    pagesPreSaved: meanOf(epochs.map(({ pagesPreSaved }) => pagesPreSaved)),
    preSavedInVain: meanOf(epochs.map(({ preSavedInVain }) => preSavedInVain)),
    mostSaved: at(1),
    savedQuartiles: [at(0), at(0.25), at(0.5), at(0.75), at(1)],
  };
}

/**
 * The part of the pages written in an epoch that were written in the one before too, on average: what prediction lives
 * on.
 */
export function overlapOf(epochs: readonly EpochReport[]): number {
  const shares = epochs.slice(1).flatMap(({ updated }, index) => {
    const before = new Set(epochs[index]?.updated);
    return updated.length === 0 ? [] : [updated.filter((frame) => before.has(frame)).length / updated.length];
  });
  return meanOf(shares);
}
