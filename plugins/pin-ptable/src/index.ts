export { pinPtable } from './plugin.js';
export { PageTable } from './pageTable.js';
