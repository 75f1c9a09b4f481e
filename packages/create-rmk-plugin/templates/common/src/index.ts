export type * from './events.js';
export { pluginName, type PluginNameOptions } from './plugin.js';
export { PluginName } from './pluginName.js';
