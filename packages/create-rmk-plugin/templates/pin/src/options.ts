import { z } from 'zod';

/** Checked by the kernel before it runs anything. */
export const pluginNameOptions = z.strictObject({
  /** A register of the machine, by its name. */
  register: z.string().min(1).default('pc'),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;
