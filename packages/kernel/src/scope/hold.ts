/**
 * Counts the promises that the domain waits for: of handlers, of timers, and of plugins that are started or stopped.
 * While one is pending the driver pauses the VM, so no result depends on how long the host takes.
 */
export class Hold {
  private count = 0;
  private settled: Promise<void> | undefined;
  private settle: () => void = () => {};

  /**
   * For `VirtualMachine.holdWhile`. The promise is fulfilled when the count reaches zero, and is never rejected. Call
   * it again before the VM resumes: another waiter may have started something.
   */
  readonly pending = (): Promise<void> | undefined => this.settled;

  /** Returns a function that stops waiting for `promise`. */
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
