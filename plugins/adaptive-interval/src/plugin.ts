import { CHECKPOINTS, definePlugin, P_VMIO } from '@rmk/core';
import { AdaptiveInterval } from './adaptiveInterval.js';
import { adaptiveIntervalOptions } from './options.js';

/** The module AdaptiveInterval. */
export const adaptiveInterval = definePlugin({
  name: '@rmk/adaptive-interval',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS, P_VMIO],
  modules: [AdaptiveInterval],
  options: adaptiveIntervalOptions,
});
