import type { Nanoseconds } from '@rmk/core';
import type { RigGuest } from '@rmk/testing';

const MS = 1e6;

/**
 * The guest `server`, which answers a line at each of these moments (milliseconds of guest time) and idles in between.
 */
export function beatingGuest(atMs: readonly number[], who = 'ann') {
  const input = atMs.map((ms, index) => ({
    at: `${Math.round(ms * MS)}ns` as const,
    data: new TextEncoder().encode(`${who}-${index + 1} incr beats\n`),
  }));
  return { guest: 'server', machine: { input } } as const satisfies RigGuest;
}

/** `count` moments, the first at `firstMs`, `everyMs` apart. */
export function regularly(firstMs: number, everyMs: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => firstMs + index * everyMs);
}

/**
 * When a guest that beat at these moments of domain time, until `untilNs`, had been silent too long for the first time.
 */
export function firstSilence(
  beatsAtNs: readonly Nanoseconds[],
  silenceNs: Nanoseconds,
  untilNs: Nanoseconds,
): { readonly sinceNs: Nanoseconds; readonly overAtNs: Nanoseconds } | undefined {
  const ends = [...beatsAtNs.slice(1), untilNs];
  return beatsAtNs
    .map((sinceNs, index) => ({ sinceNs, overAtNs: sinceNs + silenceNs, endNs: ends[index] ?? untilNs }))
    .find(({ overAtNs, endNs }) => endNs > overAtNs);
}
