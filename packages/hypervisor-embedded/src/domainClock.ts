import { RmkError, type Clock, type Nanoseconds } from '@rmk/core';

interface Timer {
  readonly run: () => void | Promise<void>;
  readonly everyNs: Nanoseconds | undefined;
  atNs: Nanoseconds;
  /** Timers of one moment fire in the order in which they were set. */
  readonly order: number;
}

/**
 * The domain time of one VM: nominal time of all the cycles that it ever ran or idled. A rollback turns the guest's
 * cycles back, never this clock. Timers fire at the first instruction boundary at or after their moment.
 */
export class DomainClock implements Clock {
  private readonly timers: Timer[] = [];
  private set = 0;

  /** `cycles` counts domain time; `nsPerCycle` is a whole number. */
  constructor(
    readonly nsPerCycle: number,
    private readonly cycles: () => number,
  ) {}

  now(): Nanoseconds {
    return this.cycles() * this.nsPerCycle;
  }

  after(delayNs: Nanoseconds, run: () => void | Promise<void>): Disposable {
    if (!Number.isFinite(delayNs) || delayNs < 0) {
      throw new RmkError('RMK_ERR_INPUT', `a timer's delay is ${delayNs} ns, expected zero or more`);
    }
    return this.add(delayNs, undefined, run);
  }

  every(intervalNs: Nanoseconds, run: () => void | Promise<void>): Disposable {
    if (!Number.isFinite(intervalNs) || intervalNs < this.nsPerCycle) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `a timer's interval is ${intervalNs} ns, expected at least ${this.nsPerCycle} ns (one cycle)`,
      );
    }
    return this.add(intervalNs, intervalNs, run);
  }

  /** The domain cycle at which the next timer is due; Infinity where none is set. */
  get nextCycle(): number {
    const next = this.timers[0];
    return next === undefined ? Infinity : Math.ceil(next.atNs / this.nsPerCycle);
  }

  /** Timers that are set, for tests of leaks. */
  get pending(): number {
    return this.timers.length;
  }

  /** Runs the next timer if it is due. */
  fireDue(): boolean {
    const timer = this.timers[0];
    if (timer === undefined || timer.atNs > this.now()) return false;
    this.timers.shift();
    if (timer.everyNs !== undefined) {
      timer.atNs += timer.everyNs;
      this.insert(timer);
    }
    void timer.run();
    return true;
  }

  private add(delayNs: Nanoseconds, everyNs: Nanoseconds | undefined, run: Timer['run']): Disposable {
    const timer: Timer = { run, everyNs, atNs: this.now() + delayNs, order: this.set++ };
    this.insert(timer);
    return {
      [Symbol.dispose]: () => {
        const at = this.timers.indexOf(timer);
        if (at >= 0) this.timers.splice(at, 1);
      },
    };
  }

  private insert(timer: Timer): void {
    const at = this.timers.findIndex(
      (other) => other.atNs > timer.atNs || (other.atNs === timer.atNs && other.order > timer.order),
    );
    if (at < 0) this.timers.push(timer);
    else this.timers.splice(at, 0, timer);
  }
}
