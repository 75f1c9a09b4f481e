import { DURATION_HINT, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

/** Checked by the kernel before it runs anything. */
export const pluginNameOptions = z.strictObject({
  /** Recoveries within `recoveryWindow` of domain time; the next error gives the guest up, and it stays suspended. */
  maxRecoveries: z.int().min(1).default(100),
  recoveryWindow: z.custom<Duration>(isDuration, DURATION_HINT).default('10min'),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;
