const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The user's wish to stop: Ctrl-C or SIGTERM aborts the signal; another one ends the process at once, as it always does. */
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

  /** From now on signals do what they do by default. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.onSignal);
  }
}
