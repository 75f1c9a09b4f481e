import { nanoseconds, type Clock, type Duration, type RmkEvents } from '@rmk/core';
import type { Scope } from '../scope/scope.js';
import { LONGEST_TIMER_MS } from './timeout.js';

/** A plugin that is slow at one thing is told so once in so much host time. */
const TOLD_EACH_HOST_MS = 1000;
/** A promise that has been pending for so many budgets is told of at once: it may never be settled, and the guest stands still. */
const BUDGETS_PENDING = 10;

/** Tells of code that keeps the guest waiting for longer than it may. Nothing but EVT_PLUGINSLOW comes of it. */
export class Slowness {
  private readonly budgetHostMs: number;
  private readonly toldAtHostMs = new WeakMap<Scope, Map<string, number>>();

  constructor(
    /** Of host time. */
    budget: Duration,
    private readonly clock: Clock,
    private readonly publish: (event: RmkEvents['EVT_PLUGINSLOW']) => void,
    /** Called once for a promise that is pending after ten budgets. */
    private readonly held: (scope: Scope, during: string, forHostMs: number) => void = () => {},
  ) {
    this.budgetHostMs = nanoseconds(budget) / 1e6;
  }

  took(scope: Scope, during: string, occurrence: number, tookHostMs: number): void {
    if (tookHostMs > this.budgetHostMs) this.tell(scope, during, occurrence, tookHostMs);
  }

  waits(scope: Scope, during: string, occurrence: number): Disposable {
    const afterHostMs = Math.min(BUDGETS_PENDING * this.budgetHostMs, LONGEST_TIMER_MS);
    let waited = 0;
    // It keeps the process alive too: nothing else may do that while the VM is held.
    const timer = setInterval(() => {
      waited += afterHostMs;
      this.tell(scope, during, occurrence, waited, true);
      if (waited === afterHostMs) this.held(scope, during, afterHostMs);
    }, afterHostMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  private tell(scope: Scope, during: string, occurrence: number, tookHostMs: number, isPending?: true): void {
    scope.timesSlow += 1;
    const told = this.toldAtHostMs.get(scope) ?? new Map<string, number>();
    this.toldAtHostMs.set(scope, told);
    const nowHostMs = performance.now();
    const lastHostMs = told.get(during);
    // Whoever is slow at hearing of slowness would hear of himself for ever.
    const eachHostMs = during === 'EVT_PLUGINSLOW' ? Infinity : TOLD_EACH_HOST_MS;
    if (lastHostMs !== undefined && nowHostMs - lastHostMs < eachHostMs) return;
    told.set(during, nowHostMs);
    const { name: plugin, timesSlow: times } = scope;
    const { budgetHostMs } = this;
    const slow = { atNs: this.clock.now(), plugin, during, occurrence, tookHostMs, budgetHostMs, times };
    this.publish(isPending === undefined ? slow : { ...slow, isPending });
  }
}
