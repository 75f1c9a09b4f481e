import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { Cowb } from './cowb.js';

/** The module COWB. */
export const cowb = definePlugin({
  name: '@rmk/cowb',
  version: '0.1.0',
  rmk: '^0.1.0',
  requires: [CHECKPOINTS],
  modules: [Cowb],
});
