import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { z } from 'zod';
import { PluginName } from './pluginName.js';

const pluginNameOptions = z.strictObject({
  /** A page that was written in each of the last so many epochs is expected to be written again. */
  epochs: z.int().min(1).default(2),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;

/** What the kernel checks before it runs anything. */
export const pluginName = definePlugin({
  name: 'rmk-plugin-plugin-name',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  requires: [CHECKPOINTS],
  events: ['EVT_PLUGINNAMEPLANNED'],
  modules: [PluginName],
  options: pluginNameOptions,
});
