import { PAGE_BYTES } from '@rmk/core';
import type { GuestMemory } from '../memory/guestMemory.js';

/**
 * Contents of all page frames; undefined for a page that does not exist. Never changed once made, so they can be
 * shared.
 */
export type MemoryPages = readonly (Uint8Array | undefined)[];

/** Copies the pages that are not in `previous` already. */
export function copyPages(memory: GuestMemory, previous: MemoryPages = []): MemoryPages {
  return Array.from({ length: memory.pages }, (_, frame) => {
    if (!memory.isPresent(frame)) return undefined;
    const page = pageOf(memory, frame);
    const before = previous[frame];
    return before !== undefined && Buffer.compare(page, before) === 0 ? before : page.slice();
  });
}

/** Frames whose content differs, ascending; at most `limit` of them. */
export function differingFrames(memory: GuestMemory, pages: MemoryPages, limit: number): readonly number[] {
  const frames: number[] = [];
  for (let frame = 0; frame < memory.pages && frames.length < limit; frame++) {
    const theirs = pages[frame];
    const isPresent = memory.isPresent(frame);
    if (theirs === undefined ? isPresent : !isPresent || Buffer.compare(pageOf(memory, frame), theirs) !== 0)
      frames.push(frame);
  }
  return frames;
}

function pageOf(memory: GuestMemory, frame: number): Uint8Array {
  return memory.u8.subarray(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES);
}
