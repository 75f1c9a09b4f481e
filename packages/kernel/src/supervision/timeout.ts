import { nanoseconds, type Duration } from '@rmk/core';

/** In host time. */
export interface Timeouts {
  /** For the `start()` of each class of a plugin. Default: `'10s'`. */
  readonly start?: Duration;
  /** For the `stop()` of each class, and for the pending handlers of a plugin. Default: `'10s'`. */
  readonly stop?: Duration;
}

/** A span of host time that something may take. */
export class Timeout {
  private readonly limitMs: number;

  constructor(readonly limit: Duration) {
    this.limitMs = nanoseconds(limit) / 1e6;
  }

  /** Whether `work` settles in time. Rejects like `work` if that happens in time. */
  async completesWithin(work: unknown): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.limitMs);
    });
    try {
      return await Promise.race([Promise.resolve(work).then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
