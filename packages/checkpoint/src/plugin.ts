import { CHECKPOINTING, CHECKPOINTS, definePlugin, DETECTIONS, provide } from '@rmk/core';
import { CheckpointAgent } from './agent.js';
import { checkpointOptions } from './options.js';
import { protectionWatch } from './protectionWatch.js';

/** The checkpoint agent. It takes no checkpoint before an algorithm (COWB, COWP) is installed. */
export const checkpoint = definePlugin({
  name: '@rmk/checkpoint',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [CHECKPOINTING, DETECTIONS],
  provides: [provide(CHECKPOINTS, CheckpointAgent)],
  companions: [protectionWatch()],
  options: checkpointOptions,
});
