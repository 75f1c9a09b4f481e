export { HangDetector } from './hangDetector.js';
export type { HangDetectorOptions } from './options.js';
export { hangDetector } from './plugin.js';
