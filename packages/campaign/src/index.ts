export * as faults from './faults.js';
export type { FaultTarget } from './faultTarget.js';
export { END, goldenRun, type VirtualTimeHypervisor } from './goldenRun.js';
export {
  guestStateOf,
  stateDifferences,
  type ComparableMachine,
  type GuestState,
  type StateDigest,
} from './guestState.js';
export { flipBit, RegisterFlips, type RegisterBit } from './registerFlips.js';
export { Scenario, type Happened } from './scenario.js';
