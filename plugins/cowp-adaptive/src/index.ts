export { CowpAdaptive } from './cowpAdaptive.js';
export { cowpAdaptiveOptions, type CowpAdaptiveOptions } from './options.js';
export { preSavingPays } from './plan.js';
export { cowpAdaptive } from './plugin.js';
