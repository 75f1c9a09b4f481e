export type * from './checkpointControl.js';
