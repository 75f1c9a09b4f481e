import { definePlugin, nanoseconds, P_VMIO } from '@rmk/core';
import { pluginNameOptions } from './options.js';
import { PluginName } from './pluginName.js';

/** What the kernel checks before it runs anything. */
export const pluginName = definePlugin({
  name: 'rmk-plugin-plugin-name',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  requires: [P_VMIO],
  events: ['EVT_PLUGINNAMESEEN'],
  modules: [PluginName],
  options: pluginNameOptions,
  // The bound on the latency: so far back the checkpoints have to reach.
  detects: ({ within }) => [{ kind: 'panic', boundNs: nanoseconds(within) }],
});
