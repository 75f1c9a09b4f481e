import { definePlugin, nanoseconds, P_VMIO, P_VMSCHL, type Duration } from '@rmk/core';
import { HeartbeatDetector } from './heartbeatDetector.js';
import { heartbeatDetectorOptions, type HeartbeatDetectorOptions } from './options.js';

/** The module heartbeat-detector. Its bound: the longest silence, and the slice at whose end a beat may be reported. */
export const heartbeatDetector = definePlugin({
  name: '@rmk/heartbeat-detector',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [P_VMIO, P_VMSCHL],
  modules: [HeartbeatDetector],
  options: heartbeatDetectorOptions,
  detects: ({ silence, adaptive }, { schedulingIntervalNs }) => {
    const longest = adaptive?.atMost ?? silence;
    const boundNs = (longest === undefined ? 0 : nanoseconds(longest)) + schedulingIntervalNs;
    return [{ kind: 'hang', boundNs, ...(adaptive === undefined ? {} : { note: noteOf(adaptive) }) }];
  },
});

function noteOf({
  atLeast,
  atMost,
  falsePositiveRate,
}: NonNullable<HeartbeatDetectorOptions['adaptive']>): string {
  return `adaptive threshold of ${shown(atLeast)} to ${shown(atMost)}, exceeded by ${Number((falsePositiveRate * 100).toPrecision(4))} % of healthy silences at most`;
}

function shown(duration: Duration): string {
  return `${nanoseconds(duration) / 1e6} ms`;
}
