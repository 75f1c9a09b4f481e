import { CHECKPOINTS, definePlugin, DETECTIONS, provide, P_VCPU, RECOVERY } from '@rmk/core';
import { pluginNameOptions } from './options.js';
import { PluginName } from './pluginName.js';
import { PLUGINNAME_RESTARTS, restartWatch } from './restartWatch.js';

/** What the kernel checks before it runs anything. */
export const pluginName = definePlugin({
  name: 'rmk-plugin-plugin-name',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  requires: [P_VCPU, CHECKPOINTS, DETECTIONS, PLUGINNAME_RESTARTS],
  events: ['EVT_PLUGINNAMEDECIDED'],
  // Only one plugin of a domain can provide it: two recoveries would undo each other's work.
  provides: [provide(RECOVERY, PluginName)],
  companions: [restartWatch()],
  options: pluginNameOptions,
});
