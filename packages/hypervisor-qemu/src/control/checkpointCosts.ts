import type { Audit, ControlCheckpoint, ControlRollback } from './checkpointControl.js';

/** What a checkpoint cost. Times are CLOCK_MONOTONIC, as `process.hrtime.bigint()` gives them. */
export interface CheckpointCost {
  readonly atMonotonicNs: bigint;
  readonly pauseNs: number;
  /** Of the pause: saving device state, and copying pages. */
  readonly stateNs: number;
  readonly pagesNs: number;
  readonly stateBytes: number;
  /** Pages copied before the pause, while the guest ran. */
  readonly prePassPages: number;
  /** In the epoch that it ended; undefined for the first checkpoint. */
  readonly pagesWritten: number | undefined;
  readonly audit?: Audit;
}

/** What a rollback cost. */
export interface RollbackCost extends CheckpointCost {
  readonly pagesRestored: number;
  /** From the request to the VM being ready to run on, its parts in their order. */
  readonly steps: ControlRollback['steps'];
}

/** Of each kind. */
const KEPT = 10_000;

/** The costs of the last checkpoints and rollbacks, oldest first. */
export class CheckpointCosts {
  readonly checkpoints: CheckpointCost[] = [];
  readonly rollbacks: RollbackCost[] = [];

  addCheckpoint(checkpoint: ControlCheckpoint): void {
    keep(this.checkpoints, costOf(checkpoint));
  }

  addRollback(rollback: ControlRollback): void {
    const { pagesRestored, steps } = rollback;
    keep(this.rollbacks, { ...costOf(rollback), pagesRestored, steps });
  }
}

/** Without the list of pages and the handles: those would fill the memory. */
function costOf(checkpoint: ControlCheckpoint): CheckpointCost {
  const { atMonotonicNs, pauseNs, stateNs, pagesNs, stateBytes, prePassPages, closed, audit } = checkpoint;
  const pagesWritten = closed?.updated.length;
  const cost = { atMonotonicNs, pauseNs, stateNs, pagesNs, stateBytes, prePassPages, pagesWritten };
  return audit === undefined ? cost : { ...cost, audit };
}

function keep<T>(all: T[], one: T): void {
  all.push(one);
  if (all.length > KEPT) all.shift();
}
