/** Effort that may be spent before anything is executed. */
const FREE = 50_000;
/**
 * Instructions that must be executed for each one that is translated beyond: while one is translated, the interpreter
 * executes some thousands.
 */
const EXECUTED_EACH = 8192;
/** What a module costs by itself, in instructions. */
const MODULE = 50;

/**
 * What translating costs, against what was executed: whatever the guest, translating takes a small part of the time of
 * interpreting it.
 */
export class Effort {
  /** Instructions that were translated, each as often as it was, and what each module costs by itself. */
  spent = 0;

  /** `executed`: instructions that the hart executed so far, those that were rolled back included. */
  isAffordable(executed: number): boolean {
    return this.spent < FREE + executed / EXECUTED_EACH;
  }

  spend(instructions: number): void {
    this.spent += MODULE + instructions;
  }
}
