import type { EpochPlan, EpochReport } from '@rmk/core';

/** The pages of the epoch that ends, which the driver knows, and those of the one before it. */
export function unionPlan([before]: readonly EpochReport[]): EpochPlan {
  return before === undefined ? { preSave: 'updated' } : { preSave: 'updated', add: before.updated };
}
