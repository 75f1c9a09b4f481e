import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { Cowb } from './cowb.js';

/** The module COWB. */
export const cowb = definePlugin({
  name: '@rmk/cowb',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [Cowb],
});
