import { definePlugin, nanoseconds, P_VMSCHL } from '@rmk/core';
import { HangDetector } from './hangDetector.js';
import { MissingSigns } from './missingSigns.js';
import { hangDetectorOptions } from './options.js';

/**
 * The module hang-detector. Its bound counts non-idle time: the threshold, the slice at whose end it is told, and half
 * a slice, since it is not known when in a slice the VM was idle.
 */
export const hangDetector = definePlugin({
  name: '@rmk/hang-detector',
  version: '0.1.0',
  rmk: '^0.1.0',
  requires: [P_VMSCHL],
  modules: [HangDetector, MissingSigns],
  options: hangDetectorOptions,
  detects: ({ threshold }, { schedulingIntervalNs }) => [
    { kind: 'hang', boundNs: nanoseconds(threshold) + 1.5 * schedulingIntervalNs },
  ],
});
