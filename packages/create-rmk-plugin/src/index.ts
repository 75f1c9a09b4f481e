export { createPlugin, type PluginOrder, type WrittenPlugin } from './createPlugin.js';
export { KIND_NAMES, KINDS, type Kind } from './kinds.js';
export { ExitCode, main, type Terminal } from './main.js';
export { pluginNames, type PluginNames } from './pluginNames.js';
export type { Conversation } from './questions.js';
export { UsageError } from './usageError.js';
