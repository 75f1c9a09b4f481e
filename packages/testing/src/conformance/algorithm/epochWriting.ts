import type { EpochReport } from '@rmk/core';

/** The report of an epoch that wrote these page frames, each saved at its page fault. For tests of plans. */
export function epochWriting(frames: Iterable<number>): EpochReport {
  const updated = Uint32Array.from(frames).toSorted();
  return {
    openedAtNs: 0,
    closedAtNs: 1,
    updated,
    pageFaults: updated.length,
    pagesSaved: updated.length,
    pagesPreSaved: 0,
    preSavedInVain: 0,
    pauseHostNs: 0,
  };
}
