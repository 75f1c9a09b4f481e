/**
 * Times code of plugins in host time. Sections nest, because a timer can publish, and a handler can make the driver
 * emit a fact. Each section counts its own time only, without the sections inside it.
 */
export class Stopwatch {
  /** Whether a section is being timed. Then those inside it must be timed too, or their time would count as its own. */
  timing = false;
  /** Own time of the section that ended last. */
  ownHostMs = 0;
  /** Time of the sections inside the current one. */
  private innerHostMs = 0;

  /** Runs a section and returns the result of `run`. */
  time<A>(run: (argument: A) => unknown, argument: A): unknown {
    const { timing, innerHostMs } = this;
    this.timing = true;
    this.innerHostMs = 0;
    const beganHostMs = performance.now();
    try {
      return run(argument);
    } finally {
      const tookHostMs = performance.now() - beganHostMs;
      this.ownHostMs = tookHostMs - this.innerHostMs;
      this.timing = timing;
      this.innerHostMs = innerHostMs + tookHostMs;
    }
  }
}
