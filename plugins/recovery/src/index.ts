export { ladderAgain, ladderFor, type Candidate, type Ladder } from './ladder.js';
export { recovery, type RecoveryOptions } from './plugin.js';
export { Recovery } from './recovery.js';
