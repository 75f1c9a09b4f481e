const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ctrl-C or SIGTERM aborts the signal. A second one ends the process at once, as without this. */
export class Interruption {
  private readonly controller = new AbortController();
  private readonly onSignal = (): void => {
    this.release();
    this.controller.abort();
  };

  constructor() {
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Restores the default behaviour of signals. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.onSignal);
  }
}
