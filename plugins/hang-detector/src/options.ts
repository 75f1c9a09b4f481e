import { durationHint, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

/** What counts as a sign of progress by default. */
export const DEFAULT_SIGNS: readonly string[] = ['context-switch', 'heartbeat', 'timer-rearmed'];

export const hangDetectorOptions = z.strictObject({
  /** Longest non-idle domain time between two signs of progress in a healthy VM. */
  threshold: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }).default('200ms'),
  /** What counts as a sign. A re-armed timer counts until the guest is known to give a better sign all the time. */
  signs: z
    .array(z.string().min(1))
    .min(1)
    .default([...DEFAULT_SIGNS]),
  /** Most instructions between two context switches in a healthy VM. Needs the capability `instruction-count`. */
  maxInstructions: z.int().min(1).optional(),
});

export type HangDetectorOptions = z.output<typeof hangDetectorOptions>;
