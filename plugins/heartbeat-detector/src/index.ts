export { BeatMatcher } from './beatMatcher.js';
export { HeartbeatDetector } from './heartbeatDetector.js';
export type { HeartbeatDetectorOptions } from './options.js';
export { heartbeatDetector } from './plugin.js';
