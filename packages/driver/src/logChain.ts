import { RmkError } from '@rmk/core';

/**
 * Where a page log stands among those of its VM. Numbers, not references to other logs: a reference would keep every
 * log that was ever made in memory.
 */
export interface EpochLink {
  /** The epoch that the log is of. Never used twice in a VM, also not after a rollback. */
  readonly epoch: number;
  /** The epoch that ended where this one began; undefined for the first. */
  readonly previousEpoch: number | undefined;
}

/**
 * Throws `RMK_ERR_RELEASED` unless `logs` are the `open` log and those before it, newest first, without a gap, all of
 * them usable: what a rollback needs.
 */
export function checkLogChain<L extends EpochLink>(
  logs: readonly L[],
  open: L | undefined,
  isUsable: (log: L) => boolean,
): void {
  const isUnbroken = logs.every(
    (log, age) => isUsable(log) && (age === 0 ? log === open : log.epoch === logs[age - 1]?.previousEpoch),
  );
  if (logs.length > 0 && isUnbroken) return;
  throw new RmkError(
    'RMK_ERR_RELEASED',
    'a rollback needs the log of every epoch since its target, newest first and the open one included, ' +
      'none of them released; take a new checkpoint',
  );
}
