import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { CowpAdaptive } from './cowpAdaptive.js';
import { cowpAdaptiveOptions } from './options.js';

/** The module CowpAdaptive. */
export const cowpAdaptive = definePlugin({
  name: '@rmk/cowp-adaptive',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [CowpAdaptive],
  options: cowpAdaptiveOptions,
});
