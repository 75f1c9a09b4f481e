/** A page frame whose code the guest wrote to so often is left to the interpreter. */
const MAX_REWRITES = 64;
/** One rewrite is forgiven for as many instructions as the interpreter executes while a region is translated. */
const FORGIVEN_EACH = 1 << 20;

/**
 * How often the guest wrote to translated code of a page frame, less what is forgiven: bounds what a guest that
 * rewrites its code costs, for each instruction that it executes.
 */
export class Rewrites {
  private readonly frames = new Map<number, { count: number; at: number }>();

  /** `executed`: instructions that the hart executed so far, those that were rolled back included. */
  note(frame: number, executed: number): void {
    const known = this.frames.get(frame);
    if (known === undefined) {
      this.frames.set(frame, { count: 1, at: executed });
      return;
    }
    known.count = this.left(known, executed) + 1;
    known.at = executed;
  }

  areTooMany(frame: number, executed: number): boolean {
    const known = this.frames.get(frame);
    return known !== undefined && this.left(known, executed) >= MAX_REWRITES;
  }

  forget(): void {
    this.frames.clear();
  }

  private left({ count, at }: { readonly count: number; readonly at: number }, executed: number): number {
    return Math.max(0, count - (executed - at) / FORGIVEN_EACH);
  }
}
