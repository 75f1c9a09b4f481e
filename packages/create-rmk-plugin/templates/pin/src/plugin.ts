import { definePlugin, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { P_PLUGINNAME } from './pin.js';
import { pluginNameOptions } from './options.js';
import { PluginName } from './pluginName.js';

/** What the kernel checks before it runs anything. */
export const pluginName = definePlugin({
  name: 'rmk-plugin-plugin-name',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_PLUGINNAME, PluginName)],
  events: ['EVT_PLUGINNAMESAMPLED'],
  options: pluginNameOptions,
});
