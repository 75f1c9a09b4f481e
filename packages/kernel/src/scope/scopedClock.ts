import { RmkError, type Clock, type Nanoseconds } from '@rmk/core';
import { refuseNoFunction, type Scope } from './scope.js';

type Run = () => void | Promise<void>;

/** The domain's clock as one plugin sees it. Its timers are supervised, and released with it. */
export class ScopedClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly scope: Scope,
  ) {}

  now(): Nanoseconds {
    return this.clock.now();
  }

  after(delayNs: Nanoseconds, run: Run): Disposable {
    if (!(delayNs >= 0 && Number.isFinite(delayNs))) {
      throw new RmkError('RMK_ERR_INPUT', `after(${delayNs}): expected a delay of 0 ns or more`);
    }
    refuseNoFunction(run, `after(${delayNs})`);
    return this.scope.register('timer', (spent) =>
      this.clock.after(delayNs, () => {
        spent();
        this.scope.attempt('timer', run, undefined);
      }),
    );
  }

  every(intervalNs: Nanoseconds, run: Run): Disposable {
    // With a shorter interval the guest would never run again.
    if (!(intervalNs >= 1 && Number.isFinite(intervalNs))) {
      throw new RmkError('RMK_ERR_INPUT', `every(${intervalNs}): expected an interval of 1 ns or more`);
    }
    refuseNoFunction(run, `every(${intervalNs})`);
    return this.scope.register('timer', () =>
      this.clock.every(intervalNs, () => this.scope.attempt('timer', run, undefined)),
    );
  }
}
