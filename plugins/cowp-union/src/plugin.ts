import { CHECKPOINTS, definePlugin } from '@rmk/core';
import { CowpUnion } from './cowpUnion.js';

/** The module CowpUnion. */
export const cowpUnion = definePlugin({
  name: '@rmk/cowp-union',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTS],
  modules: [CowpUnion],
});
