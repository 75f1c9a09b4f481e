import { z } from 'zod';

/** Checked by the kernel before it runs anything. */
export const pluginNameOptions = z.strictObject({
  /** A page that was written in each of the last so many epochs is expected to be written again. */
  epochs: z.int().min(1).default(2),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;
