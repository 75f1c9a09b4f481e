import type { Instruction } from './instruction.js';
import type { Block } from './region.js';

/** Which integer registers some blocks use, and which of them they write. Never x0. */
export class RegionRegisters {
  readonly used = new Set<number>();
  readonly written = new Set<number>();

  constructor(blocks: Iterable<Block>) {
    for (const { body, ending } of blocks) {
      for (const { instruction } of body) if (instruction !== undefined) this.note(instruction);
      if (ending.kind === 'branch' || ending.kind === 'indirect') this.note(ending);
    }
    this.used.delete(0);
    this.written.delete(0);
  }

  private note(
    registers: Instruction | { readonly rd?: number; readonly rs1: number; readonly rs2?: number },
  ) {
    const { rd, rs1, rs2 } = { rd: undefined, rs1: undefined, rs2: undefined, ...registers };
    if (rd !== undefined) this.written.add(rd);
    for (const register of [rd, rs1, rs2]) if (register !== undefined) this.used.add(register);
  }
}
