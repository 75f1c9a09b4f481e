export { silentCorruptionDetector, type SilentCorruptionDetectorOptions } from './plugin.js';
export type { RegionCorrupted } from './regionCorrupted.js';
export { SilentCorruptionDetector } from './silentCorruptionDetector.js';
