import { rateOfPercentile } from '../corruption/exponentialCorruption.js';
import { exponentialLatency, type LatencyDistribution } from '../corruption/latencyDistribution.js';
import { ModelError } from '../errors.js';
import type { Parameters } from './parameters.js';

/** §4: 95 % within 50 ms, at which the reconstruction's 0.64 s are all of 1/r'p. */
const PAPER_LATENCY = exponentialLatency(rateOfPercentile(0.95, 50));

/** The parts of 1/r'p, the mean time that a successful recovery takes the service away, in seconds. */
export interface RecoveryTime {
  readonly rollbackSeconds: number;
  /**
   * Detection latency and re-execution together: the mean age of the rollback target at detection, given that it is clean. From
   * the error the detection takes l and the re-execution of what was done between the checkpoint and the error takes age - l.
   */
  readonly ageSeconds: number;
  readonly totalSeconds: number;
}

/** The mean age, in seconds, of a clean rollback target at detection. */
function cleanAgeSeconds(latency: LatencyDistribution, intervalMs: number, retained: number): number {
  const recoverable = 1 - latency.corruption(intervalMs, retained);
  // Where no rollback ever succeeds its duration does not matter.
  if (!(recoverable > 1e-15)) return ((retained - 0.5) * intervalMs) / 1000;
  return latency.cleanAge(intervalMs, retained) / recoverable / 1000;
}

/**
 * 1/r'p of figure 5 for `retained` checkpoints.
 *
 * @throws ModelError when a rollback that is said to include its detection and re-execution is shorter than those are.
 */
export function recoveryTime(
  parameters: Parameters,
  latency: LatencyDistribution,
  retained: number,
): RecoveryTime {
  const ageSeconds = cleanAgeSeconds(latency, parameters.intervalMs, retained);
  const included = parameters.rollbackScope === 'rollback' ? 0 : cleanAgeSeconds(PAPER_LATENCY, 50, 2);
  const rollbackSeconds = parameters.rollbackSeconds - included;
  if (!(rollbackSeconds > 0)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `rollbackSeconds ${parameters.rollbackSeconds} is less than the ${included} s of detection and re-execution that it is said to include; set rollbackScope to "rollback"`,
    );
  }
  return { rollbackSeconds, ageSeconds, totalSeconds: rollbackSeconds + ageSeconds };
}
