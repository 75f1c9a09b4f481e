/** How far apart timed calls are to be where there are many: timing one takes no more than a hundredth of that. */
const SPACING_HOST_MS = 0.25;
const LONGEST_STRIDE = 4096;

/**
 * Says which calls of something that may be called often are timed: all where they are rare, fewer where they follow each
 * other closely, at least one in 4096. A slow call widens the gap between them, so those which follow it are timed.
 */
export class Sampling {
  /** Calls until the one that is timed, itself included. The caller counts it down; at 0 it calls {@link timed}. */
  untilTimed = 1;
  private stride = 1;
  private lastHostMs = -Infinity;

  timed(): void {
    const nowHostMs = performance.now();
    const gapHostMs = (nowHostMs - this.lastHostMs) / this.stride;
    this.lastHostMs = nowHostMs;
    // Step by step: a short burst is no reason to look away for long.
    const longest = Math.min(this.stride * 2, LONGEST_STRIDE);
    this.stride = Math.max(1, Math.min(longest, Math.floor(SPACING_HOST_MS / gapHostMs)));
    this.untilTimed = this.stride;
  }
}
