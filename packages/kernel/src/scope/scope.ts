import { isThenable, RmkError, type Nanoseconds } from '@rmk/core';
import { giverOf } from './callbacks.js';
import { Hold } from './hold.js';
import type { Sampling } from '../supervision/sampling.js';
import type { Stopwatch } from '../supervision/stopwatch.js';

/** Why a scope is closed. */
export type Closed = 'quarantined' | 'failed' | 'stopped';

/** A fault of a plugin. `during` and `occurrence` are those of EVT_PLUGINFAULT. */
export interface Fault {
  readonly during: string;
  readonly occurrence: number;
  readonly error: unknown;
}

const HAS: Readonly<Record<Closed, string>> = {
  quarantined: 'is quarantined',
  failed: 'has failed',
  stopped: 'is stopped',
};

/** Receives what the code of plugins does. */
export interface Watch {
  readonly stopwatch: Stopwatch;
  fault(scope: Scope, fault: Fault): void;
  took(scope: Scope, during: string, occurrence: number, tookHostMs: number): void;
  /** A promise is pending. The result is disposed of once it settles, or the kernel stops waiting for it. */
  waits(scope: Scope, during: string, occurrence: number): Disposable;
}

/** A pending promise that code of a plugin returned. */
interface Pending {
  readonly during: string;
  release: () => void;
}

interface Registration extends Disposable {
  readonly label: string;
}

/**
 * Everything that one plugin, or the host, runs in the domain. The kernel calls its code through its scope, so it can
 * attribute faults; its subscriptions and timers are registered there, so they are released with it.
 */
export class Scope {
  /** In total. */
  faults = 0;
  timesSlow = 0;
  /** Times of the faults that count towards a quarantine. */
  recentFaultsNs: readonly Nanoseconds[] = [];
  closed: Closed | undefined;
  /** Pending promises of this scope only. */
  readonly work = new Hold();
  private readonly live = new Set<Registration>();
  private readonly closing: (() => void)[] = [];
  private readonly pending = new Set<Pending>();

  constructor(
    readonly name: string,
    private readonly hold: Hold,
    private readonly watch: Watch,
  ) {}

  /** Labels of the live registrations, oldest first. */
  get registered(): readonly string[] {
    return Array.from(this.live, ({ label }) => label);
  }

  /** What returned the pending promises. */
  get underWay(): readonly string[] {
    return Array.from(this.pending, ({ during }) => during);
  }

  /** Throws RMK_ERR_STATE if the scope is closed. `attempted` completes "… cannot". */
  refuseWhenClosed(attempted: string): void {
    if (this.closed === undefined) return;
    throw new RmkError(
      'RMK_ERR_STATE',
      `${this.name} ${HAS[this.closed]} and cannot ${attempted}. Stop everything that it runs in the background.`,
      { plugin: this.name },
    );
  }

  /**
   * Registers what `acquire` returns until it is disposed of, is `spent` by itself, or the scope closes. If its release
   * returns a promise, by design or by mistake, the kernel waits for it like for a handler's.
   */
  register(label: string, acquire: (spent: () => void) => Disposable): Disposable {
    this.refuseWhenClosed(`register ${label}`);
    const registration: Registration = {
      label,
      [Symbol.dispose]: () => {
        if (!this.live.delete(registration)) return;
        const releasing: unknown = acquired[Symbol.dispose]();
        if (releasing !== undefined) this.settle(releasing, label, 0);
      },
    };
    const acquired = acquire(() => this.live.delete(registration));
    this.live.add(registration);
    return registration;
  }

  /** Calls code of the plugin and contains what it throws. `sampling` selects the calls to time among frequent ones. */
  attempt<A>(during: string, run: (argument: A) => unknown, argument: A, sampling?: Sampling): void {
    if (sampling === undefined || this.isTimed(sampling)) {
      this.attemptTimed(during, 0, run, argument);
      return;
    }
    try {
      const result = run(argument);
      if (result !== undefined) this.settle(result, during, 0);
    } catch (error) {
      this.fault(during, 0, error);
    }
  }

  private isTimed(sampling: Sampling): boolean {
    if ((sampling.untilTimed -= 1) > 0) return this.watch.stopwatch.timing;
    sampling.timed();
    return true;
  }

  attemptTimed<A>(during: string, occurrence: number, run: (argument: A) => unknown, argument: A): void {
    const { watch } = this;
    try {
      let result: unknown;
      try {
        result = watch.stopwatch.time(run, argument);
      } finally {
        watch.took(this, during, occurrence, watch.stopwatch.ownHostMs);
      }
      if (result !== undefined) this.settle(result, during, occurrence);
    } catch (error) {
      this.fault(during, occurrence, error);
    }
  }

  /** Holds the VM while `result` is a pending promise. */
  settle(result: unknown, during: string, occurrence: number): void {
    if (!isThenable(result)) return;
    const waiting = this.watch.waits(this, during, occurrence);
    const pending: Pending = { during, release: () => {} };
    this.pending.add(pending);
    const work = this.follow(result, pending, occurrence);
    const releases = [this.hold.add(work), this.work.add(work)];
    pending.release = () => {
      waiting[Symbol.dispose]();
      this.pending.delete(pending);
      for (const release of releases) release();
    };
  }

  /** Reports the fault before it releases the hold, so the hold also covers handlers of the report. */
  private async follow(result: PromiseLike<unknown>, pending: Pending, occurrence: number): Promise<void> {
    const { during } = pending;
    const beganHostMs = performance.now();
    try {
      await result;
    } catch (error) {
      this.fault(during, occurrence, error);
    }
    this.watch.took(this, during, occurrence, performance.now() - beganHostMs);
    pending.release();
  }

  /** Stops waiting for pending promises. The VM resumes without them. */
  abandon(): void {
    for (const { release } of this.pending) release();
  }

  /** Reports a fault: of the plugin whose callback threw, else of this one. */
  fault(during: string, occurrence: number, error: unknown): void {
    const giver = giverOf(error);
    const at = giver instanceof Scope ? giver : this;
    at.faults += 1;
    this.watch.fault(at, { during, occurrence, error });
  }

  /**
   * Releases all registrations, newest first, and accepts no new ones. Some releases run code of other plugins: what it
   * throws is a fault, and the rest is released all the same.
   */
  close(why: Closed): void {
    this.closed = why;
    for (const registration of [...this.live].toReversed())
      this.attempt(registration.label, () => registration[Symbol.dispose](), undefined);
    for (const run of this.closing) run();
  }

  /** `run` is the kernel's: called each time that the scope is closed, after everything has been released. */
  whenClosed(run: () => void): void {
    this.closing.push(run);
  }
}

/** Fails at once, because a later call would fail far from the mistake. */
export function refuseNoFunction(run: unknown, call: string): void {
  if (typeof run === 'function') return;
  throw new RmkError('RMK_ERR_INPUT', `${call}: expected a function to call, given ${typeof run}`);
}
