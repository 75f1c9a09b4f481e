export { CowpDecay } from './cowpDecay.js';
export { cowpDecayOptions, type CowpDecayOptions } from './options.js';
export { decayedPlan, frequencies } from './plan.js';
export { cowpDecay } from './plugin.js';
