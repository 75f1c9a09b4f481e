import type { Nanoseconds } from '@rmk/core';

/** A span of time for people: `0.42 ms`, `275.1 ms`, `73.2 s`. */
export function durationText(ns: Nanoseconds): string {
  if (ns >= 60e9) return `${(ns / 1e9).toFixed(1)} s`;
  return `${(ns / 1e6).toFixed(ns < 10e6 ? 2 : 1)} ms`;
}
