export { isCrash, RISCV_BARE_METAL, type OrdinaryException } from './crashTable.js';
export { type SignalOptions } from './options.js';
export { pinVmsignal } from './plugin.js';
export { Signals } from './signals.js';
