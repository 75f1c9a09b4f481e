import { rateOfPercentile } from '../corruption/exponentialCorruption.js';
import { exponentialLatency } from '../corruption/latencyDistribution.js';
import { ModelError } from '../errors.js';
import { classAge, classCleanAge, classCorruption, type ErrorClass } from './errorClasses.js';
import type { Parameters } from './parameters.js';

/** §4: 95 % within 50 ms, at which the reconstruction's 0.64 s are all of 1/r'p. */
const PAPER_ERRORS: readonly ErrorClass[] = [
  { share: 1, latency: exponentialLatency(rateOfPercentile(0.95, 50)), boundMs: 50 },
];

/** The parts of 1/r'p, the mean time that a successful recovery takes the service away, in seconds. */
export interface RecoveryTime {
  readonly rollbackSeconds: number;
  /**
   * Detection latency and re-execution together: the mean age of the rollback target at detection, given that it is
   * clean. From the error the detection takes l and the re-execution of what was done between the checkpoint and the
   * error takes age - l.
   */
  readonly ageSeconds: number;
  readonly totalSeconds: number;
}

/** The mean age, in seconds, of a clean rollback target at detection. */
function cleanAgeSeconds(errors: readonly ErrorClass[], intervalMs: number): number {
  const recoverable = 1 - classCorruption(errors, intervalMs);
  // Where no rollback ever succeeds its duration does not matter.
  if (!(recoverable > 1e-15)) return classAge(errors, intervalMs) / 1000;
  return classCleanAge(errors, intervalMs) / recoverable / 1000;
}

/**
 * 1/r'p of figure 5 for these errors.
 *
 * Throws RMK_ERR_INPUT if `rollbackScope` includes detection and re-execution, but these take longer than the rollback.
 */
export function recoveryTime(parameters: Parameters, errors: readonly ErrorClass[]): RecoveryTime {
  const ageSeconds = cleanAgeSeconds(errors, parameters.intervalMs);
  const included = parameters.rollbackScope === 'rollback' ? 0 : cleanAgeSeconds(PAPER_ERRORS, 50);
  const rollbackSeconds = parameters.rollbackSeconds - included;
  if (!(rollbackSeconds > 0)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `rollbackSeconds ${parameters.rollbackSeconds} is less than the ${included} s of detection and re-execution that rollbackScope says it includes; set rollbackScope to "rollback"`,
    );
  }
  return { rollbackSeconds, ageSeconds, totalSeconds: rollbackSeconds + ageSeconds };
}
