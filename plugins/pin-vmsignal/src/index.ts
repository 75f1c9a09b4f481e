export { isCrash, RISCV_BARE_METAL, type OrdinaryException } from './crashTable.js';
export { pinVmsignal, type SignalOptions } from './plugin.js';
export { Signals } from './signals.js';
