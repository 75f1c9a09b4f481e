export { HangDetector } from './hangDetector.js';
export { hangDetector, type HangDetectorOptions } from './plugin.js';
