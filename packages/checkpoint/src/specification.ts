import type { PageLog } from '@rmk/core';

/** Memory as a map from page frame to content; a page that does not exist has no entry. */
export type MemoryImage = ReadonlyMap<number, Uint8Array>;

/** The content of a page log: DP_i of §3. */
export type SavedPages = ReadonlyMap<number, Uint8Array | 'absent'>;

/**
 * `S_i = restore(S_t, DP_i(t))` (§3, eq. 1): the pages of the log replace those of the state.
 * With COWP the log holds H_i too, and the same operation gives eq. 3.
 */
export function restore(state: MemoryImage, saved: SavedPages): MemoryImage {
  const restored = new Map(state);
  for (const [frame, content] of saved) {
    if (content === 'absent') restored.delete(frame);
    else restored.set(frame, content);
  }
  return restored;
}

/** Going back over several epochs applies their logs, newest first (§3, eq. 2 and 4). */
export function restoreAll(state: MemoryImage, newestFirst: readonly SavedPages[]): MemoryImage {
  return newestFirst.reduce(restore, state);
}

/** `collect(DP_0, DP_1)` (§3.1): where both hold a page, the content in the older log is kept. */
export function collect(older: SavedPages, newer: SavedPages): SavedPages {
  return new Map([...newer, ...older]);
}

/**
 * Which log supplies which page frame when `newestFirst` are collected: the index of the oldest that holds it.
 * A damaged entry elsewhere does no harm.
 */
export function suppliers(newestFirst: readonly SavedPages[]): ReadonlyMap<number, number> {
  return new Map(
    newestFirst.flatMap((saved, index) => [...saved.keys()].map((frame) => [frame, index] as const)),
  );
}

/** Reads all of a driver's page log, to compare it with the specification. */
export async function savedPages(log: PageLog): Promise<SavedPages> {
  const frames = [...(await log.frames())];
  return new Map(await Promise.all(frames.map(async (frame) => [frame, await log.read(frame)] as const)));
}
