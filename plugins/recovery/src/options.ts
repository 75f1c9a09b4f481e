import { durationHint, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

export const recoveryOptions = z.strictObject({
  /** Restarts within `restartWindow` of domain time, after which the VM is given up. */
  maxRestarts: z.int().min(0).default(3),
  restartWindow: z
    .custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) })
    .default('10min'),
});

export type RecoveryOptions = z.output<typeof recoveryOptions>;
