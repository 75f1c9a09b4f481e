export type * from './checkpointControl.js';
export { QmpClient, type QemuVersion, type QmpEvent, type QmpOptions } from './qmpClient.js';
