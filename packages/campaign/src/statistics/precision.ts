import type { ExperimentRecord } from '../experiment/experimentRecord.js';
import { summarise } from './summary.js';

/** Half the width of the 95 % interval of recovered of detected. Undefined while nothing was detected. */
export function marginOf(records: readonly ExperimentRecord[]): number | undefined {
  const rate = summarise(records).recoveredOfDetected;
  return rate === undefined ? undefined : (rate.high - rate.low) / 2;
}
