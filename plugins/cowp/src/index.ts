export { Cowp } from './cowp.js';
export { cowp, type CowpOptions } from './plugin.js';
