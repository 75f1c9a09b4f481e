import type { Checkpoint, Checkpointed, Context, Nanoseconds, PageLog, RollbackTarget } from '@rmk/core';

/** A checkpoint of the ring, with the driver's handles. */
export interface RetainedCheckpoint extends Checkpoint {
  readonly context: Context;
  /** The log of the epoch that the checkpoint opened. */
  readonly log: PageLog;
}

/** The retained checkpoints, newest first. What leaves the ring is given back to the driver. */
export class Ring {
  private checkpoints: readonly RetainedCheckpoint[] = [];

  get newestFirst(): readonly Checkpoint[] {
    return this.checkpoints;
  }

  get length(): number {
    return this.checkpoints.length;
  }

  add({ atNs, context, log }: Checkpointed, origin: Checkpoint['origin'], retain: number): Checkpoint {
    const added = retained(atNs, origin, context, log);
    const all = [added, ...this.checkpoints];
    this.checkpoints = all.slice(0, retain);
    release(all.slice(retain));
    return added;
  }

  /** What the driver needs to go back to `to`; undefined where that is not retained. */
  pathTo(to: Checkpoint): RollbackTarget | undefined {
    const index = this.checkpoints.findIndex((checkpoint) => checkpoint === to);
    const target = this.checkpoints[index];
    if (target === undefined) return undefined;
    return { context: target.context, logs: this.checkpoints.slice(0, index + 1).map(({ log }) => log) };
  }

  /** `reopened` stands at the state of `to` now; `to` and all that were newer are spent. */
  rewind(to: Checkpoint, { atNs, context, log }: Checkpointed): Checkpoint {
    const index = this.checkpoints.findIndex((checkpoint) => checkpoint === to);
    const spent = this.checkpoints.slice(0, index + 1);
    const reopened = retained(atNs, 'rollback', context, log);
    this.checkpoints = [reopened, ...this.checkpoints.slice(index + 1)];
    release(spent);
    return reopened;
  }

  clear(): number {
    const { length } = this.checkpoints;
    release(this.checkpoints);
    this.checkpoints = [];
    return length;
  }
}

function retained(
  takenAtNs: Nanoseconds,
  origin: Checkpoint['origin'],
  context: Context,
  log: PageLog,
): RetainedCheckpoint {
  return { takenAtNs, origin, context, log };
}

function release(checkpoints: readonly RetainedCheckpoint[]): void {
  for (const { context, log } of checkpoints) {
    context.release();
    log.release();
  }
}
