export { Cowb } from './cowb.js';
export { cowb } from './plugin.js';
