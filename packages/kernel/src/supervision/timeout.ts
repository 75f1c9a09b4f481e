import { nanoseconds, type Duration } from '@rmk/core';

/** In host time. */
export interface Timeouts {
  /** For the `start()` of one class of a plugin; `'10s'` when absent. */
  readonly start?: Duration;
  /** For the `stop()` of one class, and for the handlers of a plugin that are under way; `'10s'` when absent. */
  readonly stop?: Duration;
}

/** What timers of Node can do at most. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A span of host time that something may take. */
export class Timeout {
  private readonly limitMs: number;

  constructor(readonly limit: Duration) {
    this.limitMs = nanoseconds(limit) / 1e6;
  }

  /** Whether `work` is done in time. Rejected as `work` is, if that happens in time. */
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
