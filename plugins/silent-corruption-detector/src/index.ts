export type { SilentCorruptionDetectorOptions } from './options.js';
export { silentCorruptionDetector } from './plugin.js';
export type { RegionCorrupted } from './regionCorrupted.js';
export { SilentCorruptionDetector } from './silentCorruptionDetector.js';
