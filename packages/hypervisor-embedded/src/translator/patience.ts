/** Instructions that the interpreter executes at one go where translated code does not pay. */
const SHORTEST = 64;
const LONGEST = 2048;

/**
 * How long the interpreter goes on from a place where translated code does not pay, before any is looked for: longer
 * where execution comes back to the place at once, as in a loop.
 */
export class Patience {
  private length = SHORTEST;
  private endedAt = -Infinity;

  /** `executed`: instructions that the hart executed so far. Gives the count at which to look again. */
  until(executed: number): number {
    const isLoop = executed - this.endedAt < SHORTEST;
    this.length = isLoop ? Math.min(2 * this.length, LONGEST) : SHORTEST;
    this.endedAt = executed + this.length;
    return this.endedAt;
  }
}
