import { edgesOf } from './controlFlow.js';
import type { Instruction } from './instruction.js';
import type { Block, Ending } from './region.js';

/** Which integer registers a region uses, and which it may have written by each of its blocks; never x0. */
export class RegionRegisters {
  readonly used = new Set<number>();
  readonly written = new Set<number>();
  private readonly before = new Map<Block, Set<number>>();

  constructor(blocks: readonly Block[]) {
    for (const block of blocks) {
      this.before.set(block, new Set());
      for (const { instruction } of block.body) if (instruction !== undefined) this.note(instruction);
      this.noteEnding(block.ending);
    }
    this.used.delete(0);
    this.written.delete(0);
    for (let changed = true; changed;) {
      changed = false;
      for (const block of blocks) if (this.passOn(block)) changed = true;
    }
  }

  /** Those that may have been written on the way to the end of the block. */
  writtenAfter(block: Block): ReadonlySet<number> {
    const after = new Set(this.before.get(block));
    for (const { instruction } of block.body) {
      if (instruction !== undefined && 'rd' in instruction) after.add(instruction.rd);
    }
    if (block.ending.kind === 'indirect') after.add(block.ending.rd);
    after.delete(0);
    return after;
  }

  /** Whether a block that follows learnt of a register. */
  private passOn(block: Block): boolean {
    const after = this.writtenAfter(block);
    let isNew = false;
    for (const { block: next } of edgesOf(block.ending)) {
      const known = next === undefined ? undefined : this.before.get(next);
      if (known === undefined) continue;
      for (const register of after) {
        if (known.has(register)) continue;
        known.add(register);
        isNew = true;
      }
    }
    return isNew;
  }

  private note(instruction: Instruction): void {
    if ('rd' in instruction) {
      this.used.add(instruction.rd);
      this.written.add(instruction.rd);
    }
    if ('rs1' in instruction) this.used.add(instruction.rs1);
    if ('rs2' in instruction) this.used.add(instruction.rs2);
  }

  private noteEnding(ending: Ending): void {
    if (ending.kind === 'branch') {
      this.used.add(ending.rs1).add(ending.rs2);
    } else if (ending.kind === 'indirect') {
      this.used.add(ending.rs1).add(ending.rd);
      this.written.add(ending.rd);
    }
  }
}
