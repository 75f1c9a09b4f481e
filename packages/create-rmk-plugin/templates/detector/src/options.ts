import { DURATION_HINT, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

/** Checked by the kernel before it runs anything. */
export const pluginNameOptions = z.strictObject({
  /** What the guest puts out when something is wrong with it. */
  text: z
    .string()
    .regex(/^[\x20-\x7e]+$/, 'expected ASCII characters, one at least')
    .default('panic:'),
  /** Where it does so: a device of P_VMIO. */
  device: z.string().min(1).default('uart'),
  /** The longest time from an error until the text is reported. */
  within: z.custom<Duration>(isDuration, DURATION_HINT).default('100ms'),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;
