/**
 * Times code of plugins in host time. Sections lie within each other, since a timer may publish, and a handler may have
 * the driver tell a fact. Each has the time that it took itself, without that of the sections in it.
 */
export class Stopwatch {
  /** Whether a section is being timed: then those in it have to be, or their time would be counted as its own. */
  timing = false;
  /** What the section that ended last took itself. */
  ownHostMs = 0;
  /** What the sections in the present one took. */
  private innerHostMs = 0;

  /** Runs a section and gives what `run` gives. */
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
