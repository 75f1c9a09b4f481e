/** Distance of timed calls if there are many. Timing one takes at most a hundredth of that. */
const SPACING_HOST_MS = 0.25;
const LONGEST_STRIDE = 4096;

/**
 * Selects which calls of something frequent are timed: all if they are rare, fewer if they follow each other closely,
 * and at least one in 4096. A slow call widens the gap, so the calls after it are timed.
 */
export class Sampling {
  /** Calls until the next timed one, which is included. The caller counts down, and calls {@link timed} at 0. */
  untilTimed = 1;
  private stride = 1;
  private lastHostMs = -Infinity;

  timed(): void {
    const nowHostMs = performance.now();
    const gapHostMs = (nowHostMs - this.lastHostMs) / this.stride;
    this.lastHostMs = nowHostMs;
    // Step by step, so that a short burst does not stop the timing for long.
    const longest = Math.min(this.stride * 2, LONGEST_STRIDE);
    this.stride = Math.max(1, Math.min(longest, Math.floor(SPACING_HOST_MS / gapHostMs)));
    this.untilTimed = this.stride;
  }
}
