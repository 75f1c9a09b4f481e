export { Cowp } from './cowp.js';
export type { CowpOptions } from './options.js';
export { cowp } from './plugin.js';
