export type * from './checkpointControl.js';
export type * from './controlTarget.js';
export { QmpClient, type QemuVersion, type QmpEvent, type QmpOptions } from './qmpClient.js';
