import { Patience } from './patience.js';
import type { Translation } from './translation.js';

/** Times that a place is entered before it is judged. */
const JUDGED_EACH = 256;
/** Instructions each time that pay: entering translated code and leaving it takes as long as interpreting so many. */
const PAYING = 24;
/** Instructions to be executed before a place that did not pay is entered again, at first and at most. */
const FIRST_REST = 1 << 17;
const LONGEST_REST = 1 << 25;

/**
 * A place where translated code can be entered. Where that is left again after a few instructions each time, for a
 * device or a trap, interpreting is faster: then it rests.
 */
export class Way {
  readonly patience = new Patience();
  private times = 0;
  private instructions = 0;
  private rest = FIRST_REST;
  private restsUntil = 0;

  constructor(
    readonly slot: number,
    readonly owner: Translation,
  ) {}

  /** `executed`: instructions that the hart executed so far. */
  pays(executed: number): boolean {
    return executed >= this.restsUntil;
  }

  /** It was entered, and left after some instructions for one that the interpreter has to execute. */
  note(instructions: number, executed: number): void {
    this.times += 1;
    this.instructions += instructions;
    if (this.times < JUDGED_EACH) return;
    if (this.instructions < JUDGED_EACH * PAYING) {
      this.restsUntil = executed + this.rest;
      this.rest = Math.min(2 * this.rest, LONGEST_REST);
    } else {
      this.rest = FIRST_REST;
    }
    this.times = 0;
    this.instructions = 0;
  }
}
