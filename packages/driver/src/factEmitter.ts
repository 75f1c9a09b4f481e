import type { Facts } from '@rmk/core';

interface Entry<F extends keyof Facts> {
  /** Entries are numbered in the order in which they were added. */
  readonly order: number;
  readonly listener: (what: Facts[F]) => void;
}
type Entries = { readonly [F in keyof Facts]: Set<Entry<F>> };

/** Emits the facts of one VM to their listeners, in the order in which these were added. */
export class FactEmitter {
  private readonly entries: Entries = {
    pagefault: new Set(),
    signal: new Set(),
    scheduled: new Set(),
    output: new Set(),
    loglost: new Set(),
    rebooted: new Set(),
    asleep: new Set(),
    awake: new Set(),
    channel: new Set(),
    exited: new Set(),
    gone: new Set(),
  };
  private added = 0;

  /** The same function may be added several times; each call returns the disposable of its own entry. */
  observe<F extends keyof Facts>(fact: F, listener: (what: Facts[F]) => void): Disposable {
    const entries: Set<Entry<F>> = this.entries[fact];
    const entry: Entry<F> = { order: this.added++, listener };
    entries.add(entry);
    return { [Symbol.dispose]: () => void entries.delete(entry) };
  }

  /** Whether anybody listens: a fact that is costly to build is not built for nobody. */
  isObserved(fact: keyof Facts): boolean {
    return this.entries[fact].size > 0;
  }

  /** A listener added meanwhile is not called for this fact; one disposed meanwhile is not called any more. */
  emit<F extends keyof Facts>(fact: F, what: Facts[F]): void {
    const { added } = this;
    for (const { order, listener } of this.entries[fact]) if (order < added) listener(what);
  }
}
