import type { Clock, Nanoseconds } from '@rmk/core';
import { checkDelay, checkInterval, TimerQueue, type Timer } from '@rmk/driver';

/** The domain time of a fake machine: it goes on when the machine says so. */
export class FakeClock implements Clock {
  nowNs: Nanoseconds = 0;
  private readonly timers = new TimerQueue();

  now(): Nanoseconds {
    return this.nowNs;
  }

  after(delayNs: Nanoseconds, run: Timer['run']): Disposable {
    checkDelay(delayNs);
    return this.add(delayNs, undefined, run);
  }

  every(intervalNs: Nanoseconds, run: Timer['run']): Disposable {
    checkInterval(intervalNs, 1, 'the resolution of its time');
    return this.add(intervalNs, intervalNs, run);
  }

  /** When the next timer is due; Infinity where none is set. */
  get nextNs(): Nanoseconds {
    return this.timers.nextNs;
  }

  /** Runs the next timer if it is due. */
  fireDue(): boolean {
    return this.timers.fireDue(this.nowNs);
  }

  private add(delayNs: Nanoseconds, everyNs: Nanoseconds | undefined, run: Timer['run']): Disposable {
    const timer = this.timers.add(this.nowNs + delayNs, everyNs, run);
    return { [Symbol.dispose]: () => void this.timers.remove(timer) };
  }
}
