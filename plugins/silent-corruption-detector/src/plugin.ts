import { CHECKPOINTS, definePlugin, nanoseconds, P_PTABLE } from '@rmk/core';
import { SilentCorruptionDetector } from './silentCorruptionDetector.js';
import { silentCorruptionDetectorOptions } from './options.js';

/**
 * The module silent-corruption-detector. Its bound is what the user asks for, and what is read in an epoch follows from
 * it.
 */
export const silentCorruptionDetector = definePlugin({
  name: '@rmk/silent-corruption-detector',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [P_PTABLE, CHECKPOINTS],
  events: ['EVT_REGIONCORRUPTED'],
  modules: [SilentCorruptionDetector],
  options: silentCorruptionDetectorOptions,
  detects: ({ within }) => [{ kind: 'silent-corruption', boundNs: nanoseconds(within) }],
});
