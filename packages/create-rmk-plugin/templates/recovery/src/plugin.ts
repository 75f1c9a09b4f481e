import { CHECKPOINTS, definePlugin, P_VCPU } from '@rmk/core';
import { z } from 'zod';
import { PluginName } from './pluginName.js';

const pluginNameOptions = z.strictObject({
  /** After so many recoveries the guest is given up, and stays suspended. */
  maxRecoveries: z.int().min(1).default(100),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;

/** What the kernel checks before it runs anything. */
export const pluginName = definePlugin({
  name: 'rmk-plugin-plugin-name',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  requires: [P_VCPU, CHECKPOINTS],
  events: ['EVT_PLUGINNAMEDECIDED'],
  modules: [PluginName],
  options: pluginNameOptions,
});
