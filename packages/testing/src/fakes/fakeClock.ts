import type { Clock, Nanoseconds } from '@rmk/core';

type Run = () => void | Promise<void>;

interface Timer {
  readonly run: Run;
  readonly everyNs: Nanoseconds | undefined;
  /** Timers of one moment run in the order in which they were set. */
  readonly order: number;
  dueNs: Nanoseconds;
}

/** The domain time of a fake machine: it goes on when the machine says so. */
export class FakeClock implements Clock {
  nowNs: Nanoseconds = 0;
  private readonly timers = new Set<Timer>();
  private set = 0;

  now(): Nanoseconds {
    return this.nowNs;
  }

  after(delayNs: Nanoseconds, run: Run): Disposable {
    return this.add({ run, everyNs: undefined, order: this.set++, dueNs: this.nowNs + delayNs });
  }

  every(intervalNs: Nanoseconds, run: Run): Disposable {
    return this.add({ run, everyNs: intervalNs, order: this.set++, dueNs: this.nowNs + intervalNs });
  }

  /** When the next timer is due; Infinity where none is set. */
  get nextNs(): Nanoseconds {
    return this.next?.dueNs ?? Infinity;
  }

  /** Runs the next timer if it is due. */
  fireDue(): boolean {
    const timer = this.next;
    if (timer === undefined || timer.dueNs > this.nowNs) return false;
    if (timer.everyNs === undefined) this.timers.delete(timer);
    else timer.dueNs += timer.everyNs;
    void timer.run();
    return true;
  }

  private get next(): Timer | undefined {
    return [...this.timers].toSorted((one, other) => one.dueNs - other.dueNs || one.order - other.order)[0];
  }

  private add(timer: Timer): Disposable {
    this.timers.add(timer);
    return { [Symbol.dispose]: () => this.timers.delete(timer) };
  }
}
