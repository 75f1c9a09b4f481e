export type * from './checkpointControl.js';
export type * from './controlTarget.js';
export { QmpClient, type QemuVersion, type QmpEvent, type QmpOptions } from './qmpClient.js';
export { GdbClient, type GdbOptions } from './gdbClient.js';
export { numberAt } from './remoteSerial.js';
export { describedRegisters, type DescribedRegister } from './targetDescription.js';
