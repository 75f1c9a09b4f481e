export { HangDetector } from './hangDetector.js';
export { DEFAULT_SIGNS, type HangDetectorOptions } from './options.js';
export { hangDetector } from './plugin.js';
