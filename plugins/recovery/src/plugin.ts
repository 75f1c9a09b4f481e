import {
  CHECKPOINTS,
  definePlugin,
  DETECTIONS,
  DURATION_HINT,
  isDuration,
  P_VCPU,
  type Duration,
} from '@rmk/core';
import { z } from 'zod';
import { Recovery } from './recovery.js';

const recoveryOptions = z.strictObject({
  /** Restarts within `restartWindow` of domain time, after which the VM is given up. */
  maxRestarts: z.int().min(0).default(3),
  restartWindow: z.custom<Duration>(isDuration, DURATION_HINT).default('10min'),
});

export type RecoveryOptions = z.output<typeof recoveryOptions>;

/** The module recovery. */
export const recovery = definePlugin({
  name: '@rmk/recovery',
  version: '0.1.0',
  rmk: '^0.1.0',
  requires: [P_VCPU, CHECKPOINTS, DETECTIONS],
  modules: [Recovery],
  options: recoveryOptions,
});
