import { CHECKPOINTS, definePlugin, DETECTIONS, P_VCPU, provide, RECOVERY } from '@rmk/core';
import { recoveryOptions } from './options.js';
import { Recovery } from './recovery.js';
import { restartWatch, VM_RESTARTS } from './restartWatch.js';

/** The module recovery. */
export const recovery = definePlugin({
  name: '@rmk/recovery',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [P_VCPU, CHECKPOINTS, DETECTIONS, VM_RESTARTS],
  provides: [provide(RECOVERY, Recovery)],
  companions: [restartWatch()],
  options: recoveryOptions,
});
