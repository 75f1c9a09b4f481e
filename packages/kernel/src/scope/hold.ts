/**
 * Counts the promises that the domain waits for: of handlers, timers, and of plugins being started or stopped.
 * While one is pending the driver lets the VM stand still, so no result depends on how long the host takes.
 */
export class Hold {
  private count = 0;
  private settled: Promise<void> | undefined;
  private settle: () => void = () => {};

  /**
   * For `VirtualMachine.holdWhile`. The promise is fulfilled when the count falls to zero and is never rejected.
   * What waits on it may itself have begun something: ask again before the VM runs on.
   */
  readonly pending = (): Promise<void> | undefined => this.settled;

  /** Gives what lets go of a promise that is waited for no longer. */
  add(promise: Promise<unknown>): () => void {
    this.count += 1;
    this.settled ??= new Promise((resolve) => (this.settle = resolve));
    let isHeld = true;
    const release = (): void => {
      if (isHeld) this.release();
      isHeld = false;
    };
    promise.then(release, release);
    return release;
  }

  private release(): void {
    this.count -= 1;
    if (this.count > 0) return;
    this.settled = undefined;
    this.settle();
  }
}
