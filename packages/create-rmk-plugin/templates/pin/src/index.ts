export type * from './events.js';
export { P_PLUGINNAME, type PluginNamePin } from './pin.js';
export { pluginName, type PluginNameOptions } from './plugin.js';
export { PluginName } from './pluginName.js';
