export { createDomain, type DomainOptions } from './domain.js';
