import type { Block } from './region.js';
import { VOID, WasmCode, type Op } from './wasmCode.js';

/** An enclosing construct that code can branch to. */
export type Label =
  { readonly to: Block; readonly kind: 'loop' | 'merge' } | { readonly kind: 'interpret' | 'spent' | 'if' };

/** Code within constructs: knows how many lie between a branch and the one that it leads to. */
export class StructuredCode extends WasmCode {
  private readonly labels: Label[] = [];

  open(op: Op, label: Label): this {
    this.labels.push(label);
    return this.byte(op).byte(VOID);
  }

  close(op: Op): this {
    this.labels.pop();
    return this.byte(op);
  }

  /** Appends `op`, which is BR or BR_IF, to the innermost construct that `isIt` holds for. */
  branch(op: Op, isIt: (label: Label) => boolean): this {
    const index = this.labels.findLastIndex(isIt);
    return this.byte(op).unsigned(this.labels.length - 1 - index);
  }
}
