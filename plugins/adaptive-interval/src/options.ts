import { durationHint, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

export const adaptiveIntervalOptions = z.strictObject({
  /** The interval while the guest puts something out; the agent's own holds while it does not. */
  underOutput: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }).default('10ms'),
});

export type AdaptiveIntervalOptions = z.output<typeof adaptiveIntervalOptions>;
