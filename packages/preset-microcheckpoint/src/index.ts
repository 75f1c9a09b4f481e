export { microcheckpoint, type MicrocheckpointOptions } from './microcheckpoint.js';
