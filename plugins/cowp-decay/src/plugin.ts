import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { CowpDecay } from './cowpDecay.js';
import { cowpDecayOptions } from './options.js';

/** The module CowpDecay. */
export const cowpDecay = definePlugin({
  name: '@rmk/cowp-decay',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [CowpDecay],
  options: cowpDecayOptions,
});
