import type { Block } from './region.js';
import { Op, VOID, WasmCode } from './wasmCode.js';

/** An enclosing construct that code can branch to. */
export type Label =
  | { readonly to: Block; readonly kind: 'loop' | 'merge' }
  | { readonly kind: 'dispatch' | 'indirect' | 'leave' | 'interpret' | 'spent' | 'if' };

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
    return this.byte(op).unsigned(this.distance(isIt));
  }

  /** Goes to the block that the number on the stack says; it is one of them. */
  branchTable(blocks: readonly Block[]): this {
    const distances = new Map<Block, number>();
    this.labels.forEach((label, index) => {
      if ('to' in label) distances.set(label.to, this.labels.length - 1 - index);
    });
    this.byte(Op.BR_TABLE).unsigned(Math.max(0, blocks.length - 1));
    for (const block of blocks) this.unsigned(distances.get(block) ?? 0);
    return this;
  }

  private distance(isIt: (label: Label) => boolean): number {
    return this.labels.length - 1 - this.labels.findLastIndex(isIt);
  }
}
