import type { Checkpoint, Checkpointed, Context, Nanoseconds, PageLog, RollbackTarget } from '@rmk/core';

/**
 * A checkpoint of the ring, with the driver's handles. These are private: events carry the checkpoint, and whoever
 * prints or compares an event would come upon all of the guest's memory behind them.
 */
class RetainedCheckpoint implements Checkpoint {
  readonly #context: Context;
  readonly #log: PageLog;

  constructor(
    readonly takenAtNs: Nanoseconds,
    readonly origin: Checkpoint['origin'],
    context: Context,
    log: PageLog,
  ) {
    this.#context = context;
    this.#log = log;
  }

  get context(): Context {
    return this.#context;
  }

  /** The log of the epoch that the checkpoint opened. */
  get log(): PageLog {
    return this.#log;
  }
}

/** The retained checkpoints, newest first. What leaves the ring is given back to the driver. */
export class Ring {
  private checkpoints: readonly RetainedCheckpoint[] = [];

  /** Frozen: others are shown it too. */
  get newestFirst(): readonly Checkpoint[] {
    return Object.freeze(this.checkpoints);
  }

  get length(): number {
    return this.checkpoints.length;
  }

  /**
   * The oldest leave when there are more than `retain`, but not as long as the others would not reach back `reachNs`:
   * checkpoints that were asked for between two intervals must not shorten the history.
   */
  add(
    { atNs, context, log }: Checkpointed,
    origin: Checkpoint['origin'],
    retain: number,
    reachNs: Nanoseconds = 0,
  ): Checkpoint {
    const added = new RetainedCheckpoint(atNs, origin, context, log);
    const all = [added, ...this.checkpoints];
    const reaching = all.findIndex(({ takenAtNs }) => atNs - takenAtNs >= reachNs);
    const kept = reaching < 0 ? all.length : Math.max(retain, reaching + 1);
    this.checkpoints = all.slice(0, kept);
    release(all.slice(kept));
    return added;
  }

  releaseOldest(): void {
    release(this.checkpoints.slice(-1));
    this.checkpoints = this.checkpoints.slice(0, -1);
  }

  /** What the driver needs to go back to `to`; undefined where that is not retained. */
  pathTo(to: Checkpoint): RollbackTarget | undefined {
    const index = this.checkpoints.findIndex((checkpoint) => checkpoint === to);
    const target = this.checkpoints[index];
    if (target === undefined) return undefined;
    return { context: target.context, logs: this.checkpoints.slice(0, index + 1).map(({ log }) => log) };
  }

  /** Replaces `to` and all newer checkpoints by one that holds the state of `to`, and returns it. */
  rewind(to: Checkpoint, { atNs, context, log }: Checkpointed): Checkpoint {
    const index = this.checkpoints.findIndex((checkpoint) => checkpoint === to);
    const spent = this.checkpoints.slice(0, index + 1);
    const reopened = new RetainedCheckpoint(atNs, 'rollback', context, log);
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

function release(checkpoints: readonly RetainedCheckpoint[]): void {
  for (const { context, log } of checkpoints) {
    context.release();
    log.release();
  }
}
