import { durationHint, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

const RISK_HINT = 'expected a probability above 0 and below 1, such as 0.02';

export const checkpointOptions = z.strictObject({
  /** T_ck: domain time from one checkpoint to the next. */
  interval: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }).default('50ms'),
  /**
   * Checkpoints retained. Default: derived from the detectors' bounds, ceil(T_B / T_ck) + 1, at least 2, at most 256.
   */
  retain: z.int().min(2).optional(),
  /** Accepted probability that a rollback target holds the error. A higher one is reported by RMK_WARN_RISK. */
  corruptionRisk: z.number(RISK_HINT).gt(0, RISK_HINT).lt(1, RISK_HINT).optional(),
});

export type CheckpointOptions = z.output<typeof checkpointOptions>;
