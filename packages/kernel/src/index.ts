export { createDomain } from './domain.js';
export { nearest, suggestion } from './plugins/nearest.js';
export { startTree } from './plugins/startTree.js';
export { authorFrames, type StackFrame } from './supervision/authorFrames.js';
export type { SupervisionOptions } from './supervision/supervision.js';
export type { Timeouts } from './supervision/timeout.js';
export { domainSettings, refuseInvalid, type DomainOptions } from './domainOptions.js';
