export { CheckpointAgent } from './agent.js';
export { historyShortfall } from './history.js';
export { checkpointOptions, type CheckpointOptions } from './options.js';
export { checkpoint } from './plugin.js';
export { protectionWatch } from './protectionWatch.js';
export {
  ACCEPTED_RISK,
  boundOfRisk,
  corruptionRisk,
  latencyRate,
  measuredBoundOfRisk,
  measuredRisk,
  percent,
  retainFor,
  risksOf,
  type DetectorRisk,
  type History,
} from './risk.js';
export {
  collect,
  restore,
  restoreAll,
  savedPages,
  suppliers,
  type MemoryImage,
  type SavedPages,
} from './specification.js';
