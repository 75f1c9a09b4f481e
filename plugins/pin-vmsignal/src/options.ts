import { durationHint, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';
import { ordinaryOption } from './crashTable.js';

/** Within 50 ms of the error 95 % of the crashes of a Linux kernel occur (Gu et al., the source of §4). */
const GU_ET_AL = { bound: '50ms', quantile: 0.95 } as const;

export const signalOptions = z.strictObject({
  /** The exceptions that are no crash: a ready table by name, or causes and privileges. */
  ordinary: ordinaryOption,
  /** `'crash'`: the guest is not to reboot, and a rollback undoes it. */
  reboot: z.enum(['allow', 'crash']).default('allow'),
  /** T_B of a crash: the time from error to crash that the share `quantile` does not exceed. `false`: always 0. */
  latencyBound: z
    .union([
      z.literal(false),
      z.strictObject({
        bound: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }),
        quantile: z.number().gt(0).lt(1),
      }),
    ])
    .default(GU_ET_AL),
});

export type SignalOptions = z.output<typeof signalOptions>;
