export { createDomain, type DomainOptions } from './domain.js';
export { nearest, suggestion } from './nearest.js';
export { startTree } from './startTree.js';
export type { SupervisionOptions } from './supervision.js';
export type { Timeouts } from './timeout.js';
export { domainSettings } from './domainOptions.js';
