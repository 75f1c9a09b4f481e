import { LONGEST_TIMER_MS, nanoseconds, type Clock, type Duration, type RmkEvents } from '@rmk/core';
import type { Scope } from '../scope/scope.js';

/** At most one report a plugin and thing in this host time. */
const REPORTED_EACH_HOST_MS = 1000;
/** A promise is reported while it is pending after this many budgets: it may never settle, and the guest is paused. */
const BUDGETS_PENDING = 10;

/** Reports code that holds the guest for longer than its budget. EVT_PLUGINSLOW is the only consequence. */
export class Slowness {
  private readonly budgetHostMs: number;
  private readonly reportedAtHostMs = new WeakMap<Scope, Map<string, number>>();

  constructor(
    /** Host time. */
    budget: Duration,
    private readonly clock: Clock,
    private readonly publish: (event: RmkEvents['EVT_PLUGINSLOW']) => void,
    /** Called once for a promise that is pending after ten budgets. */
    private readonly held: (scope: Scope, during: string, forHostMs: number) => void = () => {},
  ) {
    this.budgetHostMs = nanoseconds(budget) / 1e6;
  }

  took(scope: Scope, during: string, occurrence: number, tookHostMs: number): void {
    if (tookHostMs > this.budgetHostMs) this.report(scope, during, occurrence, tookHostMs);
  }

  waits(scope: Scope, during: string, occurrence: number): Disposable {
    const afterHostMs = Math.min(BUDGETS_PENDING * this.budgetHostMs, LONGEST_TIMER_MS);
    let waited = 0;
    // The timer also keeps the process alive, because nothing else may do so while the VM is held.
    const timer = setInterval(() => {
      waited += afterHostMs;
      this.report(scope, during, occurrence, waited, true);
      if (waited === afterHostMs) this.held(scope, during, afterHostMs);
    }, afterHostMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  private report(
    scope: Scope,
    during: string,
    occurrence: number,
    tookHostMs: number,
    isPending?: true,
  ): void {
    scope.timesSlow += 1;
    const reported = this.reportedAtHostMs.get(scope) ?? new Map<string, number>();
    this.reportedAtHostMs.set(scope, reported);
    const nowHostMs = performance.now();
    const lastHostMs = reported.get(during);
    // A slow handler of EVT_PLUGINSLOW would report itself forever.
    const eachHostMs = during === 'EVT_PLUGINSLOW' ? Infinity : REPORTED_EACH_HOST_MS;
    if (lastHostMs !== undefined && nowHostMs - lastHostMs < eachHostMs) return;
    reported.set(during, nowHostMs);
    const { name: plugin, timesSlow: times } = scope;
    const { budgetHostMs } = this;
    const slow = { atNs: this.clock.now(), plugin, during, occurrence, tookHostMs, budgetHostMs, times };
    this.publish(isPending === undefined ? slow : { ...slow, isPending });
  }
}
