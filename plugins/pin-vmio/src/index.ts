export { pinVmio } from './plugin.js';
export { Io } from './io.js';
