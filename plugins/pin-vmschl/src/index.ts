export { pinVmschl } from './plugin.js';
export { Scheduling } from './scheduling.js';
