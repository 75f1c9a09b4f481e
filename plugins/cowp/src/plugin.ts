import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { Cowp } from './cowp.js';
import { cowpOptions } from './options.js';

/** The module COWP. */
export const cowp = definePlugin({
  name: '@rmk/cowp',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [Cowp],
  options: cowpOptions,
});
