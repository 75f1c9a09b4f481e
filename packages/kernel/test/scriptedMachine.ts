import {
  RmkError,
  type Capability,
  type Clock,
  type Facts,
  type Nanoseconds,
  type VirtualMachine,
} from '@rmk/core';

type Run = () => void | Promise<void>;

interface Timer {
  readonly run: Run;
  readonly intervalNs: Nanoseconds | undefined;
  dueNs: Nanoseconds;
}

/** A driver of the port without a guest: the test lets its time pass and emits its facts. */
export class ScriptedMachine implements VirtualMachine {
  readonly name = 'scripted';
  readonly memoryPages = 16;
  readonly registers = [];
  readonly signals = [];
  readonly capabilities: ReadonlySet<Capability>;
  readonly schedulingIntervalNs = 10e6;
  readonly clock: Clock;
  // Private, as a driver may have them: what the kernel hands to plugins must do with that.
  #nowNs = 0;
  readonly #timers = new Set<Timer>();
  readonly #observers = new Map<keyof Facts, Set<(what: never) => void>>();
  #pending: () => Promise<void> | undefined = () => undefined;

  constructor(capabilities: readonly Capability[] = ['deterministic']) {
    this.capabilities = new Set(capabilities);
    this.clock = {
      now: () => this.#nowNs,
      after: (delayNs, run) => this.#add({ run, intervalNs: undefined, dueNs: this.#nowNs + delayNs }),
      every: (intervalNs, run) => this.#add({ run, intervalNs, dueNs: this.#nowNs + intervalNs }),
    };
  }

  get liveTimers(): number {
    return this.#timers.size;
  }

  get liveObservers(): number {
    return [...this.#observers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get held(): boolean {
    return this.#pending() !== undefined;
  }

  /** Runs for `forNs`: stops at each timer's instant, and is paused while it is held. */
  async run(forNs: Nanoseconds): Promise<void> {
    const untilNs = this.#nowNs + forNs;
    await this.released();
    for (let timer = this.#next(untilNs); timer !== undefined; timer = this.#next(untilNs)) {
      this.#nowNs = timer.dueNs;
      if (timer.intervalNs === undefined) this.#timers.delete(timer);
      else timer.dueNs += timer.intervalNs;
      void timer.run();
      await this.released();
    }
    this.#nowNs = untilNs;
  }

  async released(): Promise<void> {
    for (let held = this.#pending(); held !== undefined; held = this.#pending()) await held;
  }

  emit<F extends keyof Facts>(fact: F, what: Facts[F]): void {
    for (const observer of this.#observers.get(fact) ?? []) observer(what as never);
  }

  observe<F extends keyof Facts>(fact: F, observer: (what: Facts[F]) => void): Disposable {
    const observers = this.#observers.get(fact) ?? new Set();
    this.#observers.set(fact, observers.add(observer));
    return { [Symbol.dispose]: () => observers.delete(observer) };
  }

  holdWhile(pending: () => Promise<void> | undefined): void {
    this.#pending = pending;
  }

  suspend = async (): Promise<void> => {};
  resume = async (): Promise<void> => {};
  readRegister = noGuest;
  writeRegister = noGuest;
  read = noGuest;
  write = noGuest;
  raise = noGuest;
  input = noGuest;
  checkpoint = noGuest;
  rollback = noGuest;
  restart = noGuest;
  close = noGuest;

  extension(): undefined {
    return undefined;
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  #next(untilNs: Nanoseconds): Timer | undefined {
    return [...this.#timers]
      .filter(({ dueNs }) => dueNs <= untilNs)
      .reduce<Timer | undefined>(
        (first, timer) => (first && first.dueNs <= timer.dueNs ? first : timer),
        undefined,
      );
  }
}

function noGuest(): Promise<never> {
  return Promise.reject(new RmkError('RMK_ERR_STATE', 'the scripted machine has no guest'));
}
