import type { Nanoseconds } from './units.js';

/**
 * Domain time: the VM's own, it only ever goes forward, also across a rollback.
 * A handler never awaits it (the VM stands still until the handler is done): it sets a timer.
 */
export interface Clock {
  now(): Nanoseconds;
  /** Runs once, at the first instruction boundary `delayNs` from now. Disposing cancels it. */
  after(delayNs: Nanoseconds, run: () => void | Promise<void>): Disposable;
  /** Runs at each multiple of `intervalNs` from now. */
  every(intervalNs: Nanoseconds, run: () => void | Promise<void>): Disposable;
}
