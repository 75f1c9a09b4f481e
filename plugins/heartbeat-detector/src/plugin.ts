import { definePlugin, nanoseconds, P_VMIO, P_VMSCHL } from '@rmk/core';
import { HeartbeatDetector } from './heartbeatDetector.js';
import { heartbeatDetectorOptions } from './options.js';

/** The module heartbeat-detector. Its bound: the silence, and the slice at whose end a beat may be reported. */
export const heartbeatDetector = definePlugin({
  name: '@rmk/heartbeat-detector',
  version: '0.1.0',
  rmk: '^0.1.0',
  requires: [P_VMIO, P_VMSCHL],
  modules: [HeartbeatDetector],
  options: heartbeatDetectorOptions,
  detects: ({ silence }, { schedulingIntervalNs }) => [
    { kind: 'hang', boundNs: nanoseconds(silence) + schedulingIntervalNs },
  ],
});
