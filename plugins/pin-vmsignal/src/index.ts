export {
  CRASH_TABLES,
  isCrash,
  RISCV_BARE_METAL,
  RISCV_LINUX,
  RISCV_RTOS,
  type CrashTableName,
  type OrdinaryException,
} from './crashTable.js';
export { type SignalOptions } from './options.js';
export { pinVmsignal } from './plugin.js';
export { Signals } from './signals.js';
