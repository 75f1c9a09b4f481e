import type { Nanoseconds } from './units.js';

/** A timer of a {@link TimerQueue}. */
export interface Timer {
  readonly run: () => void | Promise<void>;
  /** Absent for one that runs once. */
  readonly everyNs: Nanoseconds | undefined;
  atNs: Nanoseconds;
  /** Timers of one moment fire in the order in which they were set. */
  readonly order: number;
}

/** The timers of one clock, the next to fire first: what the clock of every driver needs. */
export class TimerQueue {
  private readonly timers: Timer[] = [];
  private set = 0;

  get length(): number {
    return this.timers.length;
  }

  /** When the next timer is due; Infinity where none is set. */
  get nextNs(): Nanoseconds {
    return this.timers[0]?.atNs ?? Infinity;
  }

  add(atNs: Nanoseconds, everyNs: Nanoseconds | undefined, run: Timer['run']): Timer {
    const timer: Timer = { run, everyNs, atNs, order: this.set++ };
    this.insert(timer);
    return timer;
  }

  /** Whether it was still to fire. */
  remove(timer: Timer): boolean {
    const at = this.timers.indexOf(timer);
    if (at < 0) return false;
    this.timers.splice(at, 1);
    return true;
  }

  clear(): void {
    this.timers.length = 0;
  }

  /** Runs the next timer where it is due by then; an interval's timer is set again before it runs. */
  fireDue(byNs: Nanoseconds): boolean {
    const timer = this.timers[0];
    if (timer === undefined || timer.atNs > byNs) return false;
    this.timers.shift();
    if (timer.everyNs !== undefined) {
      timer.atNs += timer.everyNs;
      this.insert(timer);
    }
    void timer.run();
    return true;
  }

  private insert(timer: Timer): void {
    const at = this.timers.findIndex(
      (other) => other.atNs > timer.atNs || (other.atNs === timer.atNs && other.order > timer.order),
    );
    if (at < 0) this.timers.push(timer);
    else this.timers.splice(at, 0, timer);
  }
}
