/** Most places that a region is asked to be entered at. */
const MAX_ASKED = 64;
/** Instructions to be executed for each one of a region before it grows; twice as many each time that it has grown. */
const EXECUTED_EACH = 1000;

/**
 * When a region grows by places that it leads to, or that it is often entered at. All its code is translated again
 * then: so it grows only when as much time has gone into executing as into translating it, and more each time.
 */
export class Growth {
  private readonly wanted = new Set<number>();
  private readonly refused = new Set<number>();
  private due = Infinity;

  /** `asked`: the entries that were asked for so far. */
  constructor(
    readonly asked: readonly number[],
    private readonly waits = EXECUTED_EACH,
  ) {}

  /** Whether it never grows again. */
  get isFull(): boolean {
    return this.asked.length >= MAX_ASKED || this.refused.size > 0;
  }

  /** The region was translated. `executed`: instructions that the hart executed so far. */
  begin(executed: number, instructions: number): void {
    this.due = executed + this.waits * instructions;
  }

  /** Whether it has, or cannot have, an entry at `pc`. */
  isSettled(pc: number): boolean {
    return this.asked.includes(pc) || this.refused.has(pc);
  }

  /** A place that is hot asks to become an entry. Gives what the larger region is to have, or undefined: not yet. */
  request(pc: number, executed: number): Growth | undefined {
    this.wanted.add(pc);
    if (executed < this.due) return undefined;
    return new Growth([...this.asked, ...this.wanted].slice(0, MAX_ASKED), 2 * this.waits);
  }

  /** The larger region could not be compiled: this one stays as it is. */
  refuse(): void {
    for (const pc of this.wanted) this.refused.add(pc);
  }
}
