import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { pluginNameOptions } from './options.js';
import { PluginName } from './pluginName.js';

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
