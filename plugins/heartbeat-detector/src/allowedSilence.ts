import { nanoseconds, type Nanoseconds } from '@rmk/core';
import type { ObservedSilences } from './observedSilences.js';
import type { HeartbeatDetectorOptions } from './options.js';

/** Silences that must have been observed before they count: fewer give no sound deviation. */
export const LEARNED_AFTER = 100;
/** A threshold is a whole number of microseconds. */
const RESOLUTION_NS = 1000;

type Adaptive = NonNullable<HeartbeatDetectorOptions['adaptive']>;

/** How long a guest may be silent now. */
export interface AllowedSilence {
  after(silences: ObservedSilences): Nanoseconds;
  readonly longestNs: Nanoseconds;
}

/** The same silence at all times. */
export function fixedSilence(silenceNs: Nanoseconds): AllowedSilence {
  return { after: () => silenceNs, longestNs: silenceNs };
}

/**
 * Mean + deviation · √((1 - p) / p), which the share p of the silences exceeds at most, whatever their distribution
 * (one-sided Chebyshev inequality, as Chen, Toueg and Aguilera use it for unknown distributions), plus a slice, since a
 * beat may be reported that much late. Within the bounds of the options, and the upper one until enough is observed.
 */
export function adaptiveSilence(
  { atLeast, atMost, falsePositiveRate }: Adaptive,
  schedulingIntervalNs: Nanoseconds,
): AllowedSilence {
  const [shortestNs, longestNs] = [nanoseconds(atLeast), nanoseconds(atMost)];
  const deviations = Math.sqrt((1 - falsePositiveRate) / falsePositiveRate);
  return {
    longestNs,
    after: (silences) => {
      if (silences.kept < LEARNED_AFTER) return longestNs;
      const { meanNs, deviationNs } = silences.moments();
      const exactNs = meanNs + deviations * deviationNs + schedulingIntervalNs;
      const wholeNs = Math.ceil(exactNs / RESOLUTION_NS) * RESOLUTION_NS;
      return Math.min(longestNs, Math.max(shortestNs, wholeNs));
    },
  };
}
