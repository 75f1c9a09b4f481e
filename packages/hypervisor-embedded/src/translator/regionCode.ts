import type { TranslationLayout } from '../memory/translationLayout.js';
import { edgesOf, placeBlocks, type Placement } from './controlFlow.js';
import type { Condition } from './instruction.js';
import { ADDRESS, InstructionCode, LOCALS, PC, REGION_TYPE, REMAINING } from './instructionCode.js';
import { Left } from './left.js';
import type { Block, Edge, Ending, Region } from './region.js';
import { RegionRegisters } from './regionRegisters.js';
import { StructuredCode } from './structuredCode.js';
import { I32, Op, type WasmCode } from './wasmCode.js';

/** The body of the function that executes a region. */
export class RegionCode {
  private readonly code = new StructuredCode(8192);
  private readonly instructions: InstructionCode;
  private readonly registers: RegionRegisters;
  private readonly placements: ReadonlyMap<Block, Placement>;
  private readonly blocks: readonly Block[];
  private readonly checks = new Map<Block, number>();

  constructor(
    private readonly region: Region,
    private readonly layout: TranslationLayout,
    private readonly slotOf: (pc: number) => number,
  ) {
    this.placements = placeBlocks(region.entry);
    this.blocks = [...this.placements.keys()];
    this.registers = new RegionRegisters(this.blocks);
    this.instructions = new InstructionCode(this.code, layout);
    this.findChecks();
  }

  compile(): WasmCode {
    const { code, layout } = this;
    code
      .unsigned(1)
      .unsigned(LOCALS - 1)
      .byte(I32);
    code.open(Op.BLOCK, { kind: 'interpret' });
    code.open(Op.BLOCK, { kind: 'spent' });
    const { entry } = this.region;
    for (const register of this.registers.used)
      code
        .constant(0)
        .access(Op.I32_LOAD, layout.registers + 4 * register)
        .set(register);
    if (!this.placement(entry).isLoop) this.check(entry);
    this.tree(entry);
    code.byte(0x00);
    code.close(Op.END);
    this.leave(Left.SPENT);
    code.close(Op.END);
    this.leave(Left.INTERPRET);
    code.byte(Op.END);
    return code;
  }

  /** For the entry and each loop: the instructions on the longest way from there to the next such place, or out. */
  private findChecks(): void {
    const longest = new Map<Block, number>();
    for (const block of this.blocks.toReversed()) {
      const ways = edgesOf(block.ending).map(({ block: next }) =>
        next === undefined || this.placement(next).isLoop ? 0 : (longest.get(next) ?? 0),
      );
      longest.set(block, block.length + Math.max(0, ...ways));
    }
    for (const [block, length] of longest) this.checks.set(block, length);
  }

  private placement(block: Block): Placement {
    const placement = this.placements.get(block);
    if (placement === undefined) throw new TypeError('a block of the region has no placement');
    return placement;
  }

  /** Code of a block and of all that it dominates. */
  private tree(block: Block): void {
    const { code } = this;
    const { isLoop, merges } = this.placement(block);
    if (!isLoop) {
      this.within(block, merges);
      return;
    }
    code.open(Op.LOOP, { to: block, kind: 'loop' });
    this.check(block);
    this.within(block, merges);
    code.close(Op.END);
  }

  private within(block: Block, [merge, ...others]: readonly Block[]): void {
    const { code } = this;
    if (merge === undefined) {
      this.block(block);
      return;
    }
    code.open(Op.BLOCK, { to: merge, kind: 'merge' });
    this.within(block, others);
    code.close(Op.END);
    this.tree(merge);
  }

  private check(block: Block): void {
    const { code } = this;
    code
      .get(REMAINING)
      .constant(this.checks.get(block) ?? 0)
      .byte(Op.I32_LT_S);
    code.open(Op.IF, { kind: 'if' });
    code.constant(block.pc).set(PC);
    code.branch(Op.BR, ({ kind }) => kind === 'spent');
    code.close(Op.END);
  }

  private block(block: Block): void {
    const { code } = this;
    const { body, ending, length } = block;
    if (length > 0) code.get(REMAINING).constant(length).byte(Op.I32_SUB).set(REMAINING);
    body.forEach(({ pc, bytes, instruction }, index) => {
      if (instruction === undefined) return;
      this.instructions.append(instruction, { pc, next: (pc + bytes) | 0, unexecuted: length - index });
    });
    this.ending(ending, block);
  }

  private ending(ending: Ending, block: Block): void {
    const { code } = this;
    switch (ending.kind) {
      case 'jump':
        this.follow(ending.to, block);
        return;
      case 'branch':
        this.instructions.operand(ending.rs1);
        this.instructions.operand(ending.rs2);
        code.byte(CONDITIONS[ending.op]);
        code.open(Op.IF, { kind: 'if' });
        this.follow(ending.taken, block);
        code.byte(Op.ELSE);
        this.follow(ending.otherwise, block);
        code.close(Op.END);
        code.byte(0x00);
        return;
      case 'interpret':
        this.instructions.interpret({ pc: ending.pc, unexecuted: 0 });
        return;
      case 'indirect':
        this.indirect(ending, block);
    }
  }

  /** Goes where an edge leads, from the end of `from`. */
  private follow({ pc, block }: Edge, from: Block): void {
    const { code } = this;
    if (block === undefined) {
      this.leaveTo(pc, from);
      return;
    }
    const { order, isMerge } = this.placement(block);
    if (order <= this.placement(from).order) {
      code.branch(Op.BR, (label) => label.kind === 'loop' && label.to === block);
    } else if (isMerge) {
      code.branch(Op.BR, (label) => label.kind === 'merge' && label.to === block);
    } else {
      this.tree(block);
    }
  }

  private indirect(ending: Extract<Ending, { kind: 'indirect' }>, block: Block): void {
    const { code, layout } = this;
    this.instructions.operand(ending.rs1);
    if (ending.immediate !== 0) code.constant(ending.immediate).byte(Op.I32_ADD);
    code.constant(-2).byte(Op.I32_AND).set(PC);
    if (ending.rd !== 0) code.constant(ending.next).set(ending.rd);
    if (ending.expected !== undefined) {
      code.get(PC).constant(ending.expected.pc).byte(Op.I32_EQ);
      code.open(Op.IF, { kind: 'if' });
      this.follow(ending.expected, block);
      code.close(Op.END);
    }
    this.spill(this.registers.writtenAfter(block));
    code.constant(0).get(PC).access(Op.I32_STORE, layout.pc);
    code
      .get(PC)
      .constant(1)
      .byte(Op.I32_SHR_U)
      .constant(layout.jumpCacheEntries - 1)
      .byte(Op.I32_AND);
    code.constant(3).byte(Op.I32_SHL).tee(ADDRESS).access(Op.I32_LOAD, layout.jumpCache);
    code.get(PC).byte(Op.I32_EQ);
    code.open(Op.IF, { kind: 'if' });
    code
      .get(REMAINING)
      .get(ADDRESS)
      .access(Op.I32_LOAD, layout.jumpCache + 4);
    code.byte(Op.RETURN_CALL_INDIRECT).unsigned(REGION_TYPE).unsigned(0);
    code.close(Op.END);
    code.constant(0).constant(Left.LOOK_UP).access(Op.I32_STORE, layout.left);
    code.get(REMAINING).byte(Op.RETURN);
  }

  /** Leaves the region for a known place: the region that begins there, once there is one. */
  private leaveTo(pc: number, from: Block): void {
    const { code, layout } = this;
    this.spill(this.registers.writtenAfter(from));
    code.constant(0).constant(pc).access(Op.I32_STORE, layout.pc);
    code.get(REMAINING).constant(this.slotOf(pc));
    code.byte(Op.RETURN_CALL_INDIRECT).unsigned(REGION_TYPE).unsigned(0);
  }

  private spill(registers: ReadonlySet<number>): void {
    for (const register of registers)
      this.code
        .constant(0)
        .get(register)
        .access(Op.I32_STORE, this.layout.registers + 4 * register);
  }

  /** The end of all ways out that share it: which registers were written is not known, so all are given back. */
  private leave(why: number): void {
    const { code, layout } = this;
    this.spill(this.registers.written);
    code.constant(0).get(PC).access(Op.I32_STORE, layout.pc);
    code.constant(0).constant(why).access(Op.I32_STORE, layout.left);
    code.get(REMAINING).byte(Op.RETURN);
  }
}

const CONDITIONS: Readonly<Record<Condition, Op>> = {
  eq: Op.I32_EQ,
  ne: Op.I32_NE,
  lt: Op.I32_LT_S,
  ge: Op.I32_GE_S,
  ltu: Op.I32_LT_U,
  geu: Op.I32_GE_U,
};
