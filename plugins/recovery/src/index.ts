export {
  ladderAgain,
  ladderFor,
  suspectSince,
  type Candidate,
  type DetectedError,
  type Ladder,
} from './ladder.js';
export { type RecoveryOptions } from './options.js';
export { persistenceWatch, type SeenFailure } from './persistenceWatch.js';
export { recovery } from './plugin.js';
export { Recovery } from './recovery.js';
