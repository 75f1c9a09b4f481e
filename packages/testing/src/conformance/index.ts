export { describeHypervisor } from './hypervisor/describeHypervisor.js';
export {
  WINDOW_PAGES,
  type HypervisorSubject,
  type HypervisorSuiteOptions,
  type SubjectGuest,
} from './hypervisor/hypervisorSubject.js';
export { describeDetector } from './detector/describeDetector.js';
export {
  BUSY_LIFE,
  IDLE_LIFE,
  type DetectorSubject,
  type ProvokedError,
  type QuietLife,
} from './detector/detectorSubject.js';
export type { Exposure, FalsePositives } from './detector/exposure.js';
export { CRASHES, HANGS, withoutProgress } from './detector/readyMade.js';
export {
  describeCheckpointAlgorithm,
  type CheckpointAlgorithmOptions,
} from './algorithm/describeCheckpointAlgorithm.js';
export { epochWriting } from './algorithm/epochWriting.js';
