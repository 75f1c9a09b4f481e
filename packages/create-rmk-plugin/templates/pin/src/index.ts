export type * from './events.js';
export { P_PLUGINNAME, type PluginNamePin } from './pin.js';
export type { PluginNameOptions } from './options.js';
export { pluginName } from './plugin.js';
export { PluginName } from './pluginName.js';
