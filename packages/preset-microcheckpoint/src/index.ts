export { microcheckpoint } from './microcheckpoint.js';
export { microcheckpointOptions, type MicrocheckpointOptions } from './options.js';
