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

export { Campaign } from './experiment/campaign.js';
export type { Trace } from './experiment/protectedRun.js';
export type { DrawnExperiment, History } from './experiment/drawnExperiment.js';
export { EXPERIMENT_DEFAULTS, type Experiment } from './experiment/experiment.js';
export type {
  Difference,
  ExperimentMachine,
  GuestUnderTest,
  Lone,
  Snapshot,
} from './experiment/experimentMachine.js';
export type { DifferentValue, FirstDifference } from './experiment/firstDifference.js';
export type { ExperimentRecord, Proof } from './experiment/experimentRecord.js';
export {
  isEffective,
  OUTCOMES,
  outcomeOf,
  type Fate,
  type Observed,
  type Outcome,
} from './experiment/outcome.js';
export {
  defineFault,
  type ChosenFault,
  type DrawnFault,
  type FaultDefinition,
  type FaultKind,
  type Place,
} from './fault/faultKind.js';
export type { FaultSpace, InjectionTarget } from './fault/injectionTarget.js';
export type { Injected } from './fault/faultKind.js';
export type { Hardware, Sticking } from './experiment/hardware.js';
export type { ProtectionTarget } from './experiment/protectionTarget.js';
export {
  defineTrigger,
  type ChosenTrigger,
  type GoldenTimes,
  type TriggerDefinition,
  type TriggerKind,
} from './trigger/triggerKind.js';
export { TRIGGER_KINDS } from './trigger/triggerKinds.js';
export { FAULT_KINDS } from './fault/faultKinds.js';
export { GoldenTrack, type SteadyState } from './golden/goldenTrack.js';
export { Journal, readJournal, type JournalContent, type JournalHeader } from './journal/journal.js';
export { ExperimentRandom } from './random/experimentRandom.js';
export { latencySamples } from './statistics/latencySamples.js';
export { marginOf } from './statistics/precision.js';
export { experimentsFor, isFailureOfRmk, summarise, type Summary } from './statistics/summary.js';
