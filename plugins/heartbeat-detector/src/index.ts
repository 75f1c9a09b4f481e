export { HeartbeatDetector } from './heartbeatDetector.js';
export { heartbeatDetector, type HeartbeatDetectorOptions } from './plugin.js';
