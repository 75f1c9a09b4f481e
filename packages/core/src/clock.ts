import type { Nanoseconds } from './units.js';

/**
 * Domain time: the VM's own. It never goes back, not even in a rollback.
 * A handler must not await it, because the VM is held until the handler settles. It sets a timer instead.
 */
export interface Clock {
  now(): Nanoseconds;
  /** Runs once, at the first instruction boundary `delayNs` from now. Disposing cancels it. */
  after(delayNs: Nanoseconds, run: () => void | Promise<void>): Disposable;
  /** Runs at each multiple of `intervalNs` from now. */
  every(intervalNs: Nanoseconds, run: () => void | Promise<void>): Disposable;
}
