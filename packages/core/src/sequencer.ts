/** Runs asynchronous operations one at a time, in the order of the calls. Kernel, agent and drivers share it. */
export class Sequencer {
  private last: Promise<unknown> = Promise.resolve();

  /** Starts `operation` once all those before it have settled. A failure goes to its own caller alone. */
  run<T>(operation: () => T | Promise<T>): Promise<T> {
    const result = this.last.then(operation);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Resolves once every operation that was given so far has settled. */
  async idle(): Promise<void> {
    await this.last;
  }
}
