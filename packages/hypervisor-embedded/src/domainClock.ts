import type { Clock, Nanoseconds } from '@rmk/core';
import { checkDelay, checkInterval, TimerQueue, type Timer } from '@rmk/driver';

/**
 * The domain time of one VM: nominal time of all the cycles that it ever ran or idled. A rollback turns the guest's
 * cycles back, never this clock. Timers fire at the first instruction boundary at or after their moment.
 */
export class DomainClock implements Clock {
  private readonly timers = new TimerQueue();

  /** `cycles` counts domain time; `nsPerCycle` is a whole number. */
  constructor(
    readonly nsPerCycle: number,
    private readonly cycles: () => number,
  ) {}

  now(): Nanoseconds {
    return this.cycles() * this.nsPerCycle;
  }

  after(delayNs: Nanoseconds, run: () => void | Promise<void>): Disposable {
    checkDelay(delayNs);
    return this.add(delayNs, undefined, run);
  }

  every(intervalNs: Nanoseconds, run: () => void | Promise<void>): Disposable {
    checkInterval(intervalNs, this.nsPerCycle, 'one cycle');
    return this.add(intervalNs, intervalNs, run);
  }

  /** The domain cycle at which the next timer is due; Infinity where none is set. */
  get nextCycle(): number {
    return Math.ceil(this.timers.nextNs / this.nsPerCycle);
  }

  /** Timers that are set, for tests of leaks. */
  get pending(): number {
    return this.timers.length;
  }

  /** Runs the next timer if it is due. */
  fireDue(): boolean {
    return this.timers.fireDue(this.now());
  }

  private add(delayNs: Nanoseconds, everyNs: Nanoseconds | undefined, run: Timer['run']): Disposable {
    const timer = this.timers.add(this.now() + delayNs, everyNs, run);
    return { [Symbol.dispose]: () => void this.timers.remove(timer) };
  }
}
