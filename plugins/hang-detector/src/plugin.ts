import { definePlugin, DURATION_HINT, isDuration, nanoseconds, P_VMSCHL, type Duration } from '@rmk/core';
import { z } from 'zod';
import { HangDetector } from './hangDetector.js';

const hangDetectorOptions = z.strictObject({
  /** Longest non-idle domain time between two signs of progress in a VM that is well. */
  threshold: z.custom<Duration>(isDuration, DURATION_HINT).default('200ms'),
  /** What counts as a sign. A re-armed timer tells only hangs with interrupts off. */
  signs: z.array(z.string().min(1)).min(1).default(['context-switch', 'heartbeat', 'timer-rearmed']),
});

export type HangDetectorOptions = z.output<typeof hangDetectorOptions>;

/**
 * The module hang-detector. Its bound counts non-idle time: the threshold, the slice at whose end it is told, and half
 * a slice, since it is not known when in a slice the VM was idle.
 */
export const hangDetector = definePlugin({
  name: '@rmk/hang-detector',
  version: '0.1.0',
  rmk: '^0.1.0',
  requires: [P_VMSCHL],
  modules: [HangDetector],
  options: hangDetectorOptions,
  detects: ({ threshold }, { schedulingIntervalNs }) => [
    { kind: 'hang', boundNs: nanoseconds(threshold) + 1.5 * schedulingIntervalNs },
  ],
});
