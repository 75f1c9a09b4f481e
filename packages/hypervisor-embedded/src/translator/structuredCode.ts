import type { Block } from './region.js';
import { Op, VOID, WasmCode } from './wasmCode.js';

/** An enclosing construct that code can branch to: one for a block, or one of those around the whole function. */
export type Label = Block | 'dispatch' | 'indirect' | 'leave' | 'interpret' | 'spent';

/** Code within constructs: knows how many lie between a branch and the one that it leads to. */
export class StructuredCode extends WasmCode {
  private readonly labels: (Label | undefined)[] = [];
  /** How many constructs are around the one of a label. */
  private readonly depths = new Map<Label, number>();

  /** `label`: none where nothing branches to it. No two that are open have the same. */
  open(op: Op, label?: Label): this {
    if (label !== undefined) this.depths.set(label, this.labels.length);
    this.labels.push(label);
    return this.byte(op).byte(VOID);
  }

  close(op: Op): this {
    const label = this.labels.pop();
    if (label !== undefined) this.depths.delete(label);
    return this.byte(op);
  }

  /** Goes to an enclosing construct. */
  branch(label: Label): this {
    return this.byte(Op.BR).unsigned(this.distance(label));
  }

  /** Goes to the block that the number on the stack says; it is one of them. */
  branchTable(blocks: readonly Block[]): this {
    this.byte(Op.BR_TABLE).unsigned(Math.max(0, blocks.length - 1));
    for (const block of blocks) this.unsigned(this.distance(block));
    return this;
  }

  private distance(label: Label): number {
    const depth = this.depths.get(label);
    if (depth === undefined) throw new TypeError('code branches to what is not around it');
    return this.labels.length - 1 - depth;
  }
}
