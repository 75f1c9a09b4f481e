export { AdaptiveInterval } from './adaptiveInterval.js';
export type { AdaptiveIntervalOptions } from './options.js';
export { adaptiveInterval } from './plugin.js';
