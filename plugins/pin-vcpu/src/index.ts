export { pinVcpu } from './plugin.js';
export { Vcpu } from './vcpu.js';
