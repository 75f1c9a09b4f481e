import { MAX_CLUSTER_PAGES, RmkError, type EpochPlan } from '@rmk/core';

/**
 * Throws `RMK_ERR_INPUT` if the cluster is no power of two up to {@link MAX_CLUSTER_PAGES}, and `RMK_ERR_ADDRESS` if
 * `add` names a page frame that the VM does not have.
 */
export function checkPlan({ clusterPages = 1, add }: EpochPlan, memoryPages: number): void {
  const isPowerOfTwo = Number.isInteger(clusterPages) && (clusterPages & (clusterPages - 1)) === 0;
  if (!isPowerOfTwo || clusterPages < 1 || clusterPages > MAX_CLUSTER_PAGES) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `clusterPages is ${clusterPages}, expected a power of two from 1 to ${MAX_CLUSTER_PAGES}`,
    );
  }
  const outside = add?.find((frame) => frame >= memoryPages);
  if (outside === undefined) return;
  throw new RmkError(
    'RMK_ERR_ADDRESS',
    `the plan adds page frame ${outside}, but the VM has ${memoryPages} pages (0 to ${memoryPages - 1})`,
  );
}
