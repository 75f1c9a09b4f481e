import type { Facts } from './machine.js';

type Listener<F extends keyof Facts> = (what: Facts[F]) => void;
type Listeners = { [F in keyof Facts]: readonly Listener<F>[] };

/** Who listens to the facts of one VM. The lists are replaced, never changed, so that telling one is safe from changes. */
export class FactEmitter {
  private listeners: Listeners = {
    pagefault: [],
    signal: [],
    scheduled: [],
    output: [],
    loglost: [],
    exited: [],
    gone: [],
  };

  observe<F extends keyof Facts>(fact: F, listener: Listener<F>): Disposable {
    const entry: Listener<F> = (what) => listener(what);
    this.replace(fact, [...this.listeners[fact], entry]);
    return {
      [Symbol.dispose]: () => {
        const others = this.listeners[fact].filter((other) => other !== entry);
        this.replace(fact, others);
      },
    };
  }

  isObserved(fact: keyof Facts): boolean {
    return this.listeners[fact].length > 0;
  }

  emit<F extends keyof Facts>(fact: F, what: Facts[F]): void {
    for (const listener of this.listeners[fact]) listener(what);
  }

  private replace<F extends keyof Facts>(fact: F, listeners: readonly Listener<F>[]): void {
    this.listeners = { ...this.listeners, [fact]: listeners };
  }
}
