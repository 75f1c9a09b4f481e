import { RmkError, type Nanoseconds } from '@rmk/core';
import { giverOf } from './callbacks.js';
import { Hold } from './hold.js';
import type { Sampling } from '../supervision/sampling.js';
import type { Stopwatch } from '../supervision/stopwatch.js';

/** Why a scope is closed. */
export type Closed = 'quarantined' | 'failed' | 'stopped';

/** What a plugin did wrong: `during` and `occurrence` are those of EVT_PLUGINFAULT. */
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

/** Who is told of what the code of plugins does. */
export interface Watch {
  readonly stopwatch: Stopwatch;
  fault(scope: Scope, fault: Fault): void;
  took(scope: Scope, during: string, occurrence: number, tookHostMs: number): void;
  /** A promise is to be settled. Disposed of when it is, or is waited for no longer. */
  waits(scope: Scope, during: string, occurrence: number): Disposable;
}

/** A promise that code of a plugin has given, and that is not settled. */
interface Pending {
  readonly during: string;
  letGo: () => void;
}

interface Registration extends Disposable {
  readonly label: string;
}

/**
 * Everything that one plugin, or the host, has running in the domain. Its code is called through its scope, so
 * faults are attributed to it; its subscriptions and timers are registered there, so they are released with it.
 */
export class Scope {
  /** In its whole life. */
  faults = 0;
  timesSlow = 0;
  /** When those happened that count towards a quarantine. */
  recentFaultsNs: readonly Nanoseconds[] = [];
  closed: Closed | undefined;
  /** The promises of this scope alone. */
  readonly work = new Hold();
  private readonly live = new Set<Registration>();
  private readonly closing: (() => void)[] = [];
  private readonly pending = new Set<Pending>();

  constructor(
    readonly name: string,
    private readonly hold: Hold,
    private readonly watch: Watch,
  ) {}

  /** Labels of what is registered and not disposed of, oldest first. */
  get registered(): readonly string[] {
    return Array.from(this.live, ({ label }) => label);
  }

  /** What the promises that are pending were given by. */
  get underWay(): readonly string[] {
    return Array.from(this.pending, ({ during }) => during);
  }

  /** Throws where the scope is closed; `attempted` completes "… cannot". */
  refuseWhenClosed(attempted: string): void {
    if (this.closed === undefined) return;
    throw new RmkError(
      'RMK_ERR_STATE',
      `${this.name} ${HAS[this.closed]} and cannot ${attempted}: see that nothing of it goes on in the background`,
      { plugin: this.name },
    );
  }

  /**
   * Registers what `acquire` gives until it is disposed of, is `spent` of itself, or the scope closes. Where releasing it
   * takes a promise, by design or by mistake, that is waited for as one of a handler is.
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

  /** Calls code of the plugin. Nothing that it throws gets out. Of what is called often `sampling` says which calls are timed. */
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
    const pending: Pending = { during, letGo: () => {} };
    this.pending.add(pending);
    const work = this.follow(result, pending, occurrence);
    const letGo = [this.hold.add(work), this.work.add(work)];
    pending.letGo = () => {
      waiting[Symbol.dispose]();
      this.pending.delete(pending);
      for (const one of letGo) one();
    };
  }

  /** The fault is reported before the hold lets go, so what handles the report is waited for too. */
  private async follow(result: PromiseLike<unknown>, pending: Pending, occurrence: number): Promise<void> {
    const { during } = pending;
    const beganHostMs = performance.now();
    try {
      await result;
    } catch (error) {
      this.fault(during, occurrence, error);
    }
    this.watch.took(this, during, occurrence, performance.now() - beganHostMs);
    pending.letGo();
  }

  /** Waits no longer for what is under way: the VM runs on without. */
  abandon(): void {
    for (const { letGo } of this.pending) letGo();
  }

  /** Reports what went wrong: of the plugin whose code it came from, where that was a callback given to this one. */
  fault(during: string, occurrence: number, error: unknown): void {
    const giver = giverOf(error);
    const at = giver instanceof Scope ? giver : this;
    at.faults += 1;
    this.watch.fault(at, { during, occurrence, error });
  }

  /**
   * Releases everything that is registered, the newest first. From now on nothing can be. Some of it is other plugins'
   * to release: what they throw is a fault, and keeps nothing else from being released.
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

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** What is to be called later would only fail then, far from who has said so. */
export function refuseNoFunction(run: unknown, call: string): void {
  if (typeof run === 'function') return;
  throw new RmkError('RMK_ERR_INPUT', `${call}: expected a function to call, given ${typeof run}`);
}
