/** Runs asynchronous operations one at a time, in the order of the calls. Kernel, agent, pins and drivers share it. */
export class Sequencer {
  private last: Promise<unknown> = Promise.resolve();
  private underWay = 0;

  /** Starts `operation` once all those before it have settled. A failure goes to its own caller alone. */
  run<T>(operation: () => T | Promise<T>): Promise<T> {
    const result = this.last.then(operation);
    this.occupy(result);
    return result;
  }

  /** As {@link run}, but starts `operation` before it returns if nothing is under way. */
  runAtOnce<T>(operation: () => T | Promise<T>): Promise<T> {
    if (this.underWay > 0) return this.run(operation);
    let settle: (result?: unknown) => void = () => undefined;
    // Before it starts, so that what it asks for itself waits for it.
    this.occupy(new Promise((resolve) => (settle = resolve)));
    const result = (async () => operation())();
    result.then(settle, settle);
    return result;
  }

  /** Resolves once every operation that was given so far has settled. */
  async idle(): Promise<void> {
    await this.last;
  }

  private occupy(result: Promise<unknown>): void {
    this.underWay += 1;
    const leave = (): void => {
      this.underWay -= 1;
    };
    this.last = result.then(leave, leave);
  }
}
