export { CowpUnion } from './cowpUnion.js';
export { unionPlan } from './plan.js';
export { cowpUnion } from './plugin.js';
