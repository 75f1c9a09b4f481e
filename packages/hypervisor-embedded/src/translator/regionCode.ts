import type { TranslationLayout } from '../memory/translationLayout.js';
import { accessChecks } from './accessChecks.js';
import { edgesOf, placeBlocks, type Placement } from './controlFlow.js';
import type { Condition } from './instruction.js';
import {
  ADDRESS,
  ENTRY,
  InstructionCode,
  LOCALS,
  localOf,
  PARAMETERS,
  PC,
  REMAINING,
  SLOT,
} from './instructionCode.js';
import { Left } from './left.js';
import type { Block, Edge, Ending, Region } from './region.js';
import { RegionRegisters } from './regionRegisters.js';
import { StructuredCode } from './structuredCode.js';
import { I32, Op, type WasmCode } from './wasmCode.js';

/** Bits of a slot's word that hold the number of an entry; the others hold that of the region. */
export const ENTRY_BITS = 12;
/** What a region gives instead of a slot to go back to the translator. */
export const NO_SLOT = -1;

/** The body of the function that executes a region. */
export class RegionCode {
  private readonly code = new StructuredCode(16_384);
  private readonly instructions: InstructionCode;
  private readonly registers: RegionRegisters;
  private readonly dispatcher: Block;
  private readonly placements: ReadonlyMap<Block, Placement>;
  /** By number; the first are those of the region. */
  private readonly entries: readonly Block[];
  private readonly entryNumbers: ReadonlyMap<Block, number>;
  private readonly checks = new Map<Block, number>();

  constructor(
    region: Region,
    private readonly layout: TranslationLayout,
    private readonly id: number,
    private readonly slotOf: (pc: number) => number,
  ) {
    ({ dispatcher: this.dispatcher, placements: this.placements } = placeBlocks(region.entries));
    this.entries = edgesOf(this.dispatcher.ending).flatMap(({ block }) => block ?? []);
    this.entryNumbers = new Map(this.entries.map((block, number) => [block, number]));
    this.registers = new RegionRegisters(this.placements.keys());
    this.instructions = new InstructionCode(this.code, layout);
    this.findChecks();
  }

  compile(): WasmCode {
    const { code, layout } = this;
    code
      .unsigned(1)
      .unsigned(LOCALS - PARAMETERS)
      .byte(I32);
    code.open(Op.BLOCK, 'interpret');
    code.open(Op.BLOCK, 'spent');
    code.open(Op.BLOCK, 'leave');
    for (const register of this.registers.used)
      code
        .constant(0)
        .access(Op.I32_LOAD, layout.registers + 4 * register)
        .set(localOf(register));
    code.open(Op.LOOP, 'dispatch');
    code.open(Op.BLOCK, 'indirect');
    this.tree(this.dispatcher);
    code.close(Op.END);
    this.lookUp();
    code.close(Op.END);
    code.byte(Op.UNREACHABLE);
    code.close(Op.END);
    this.leaveToSlot();
    code.close(Op.END);
    this.leave(Left.SPENT);
    code.close(Op.END);
    this.leave(Left.INTERPRET);
    code.byte(Op.END);
    return code;
  }

  /** For each entry and loop: the instructions on the longest way from there to the next such place, or out. */
  private findChecks(): void {
    const longest = new Map<Block, number>();
    for (const block of [...this.placements.keys()].toReversed()) {
      const ways = edgesOf(block.ending).map(({ block: next, isDispatched }) =>
        next === undefined || isDispatched === true || this.isChecked(next) ? 0 : (longest.get(next) ?? 0),
      );
      longest.set(block, block.length + Math.max(0, ...ways));
    }
    for (const [block, length] of longest) if (this.isChecked(block)) this.checks.set(block, length);
  }

  private isChecked(block: Block): boolean {
    return this.entryNumbers.has(block) || this.placement(block).isLoop;
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
    if (isLoop) code.open(Op.LOOP, block);
    this.check(block);
    for (const merge of merges) code.open(Op.BLOCK, merge);
    this.block(block);
    for (const merge of merges.toReversed()) {
      code.close(Op.END);
      this.tree(merge);
    }
    if (isLoop) code.close(Op.END);
  }

  private check(block: Block): void {
    const { code } = this;
    const length = this.checks.get(block);
    if (length === undefined) return;
    code.get(REMAINING).constant(length).byte(Op.I32_LT_S);
    code.open(Op.IF);
    code.constant(block.pc).set(PC);
    code.branch('spent');
    code.close(Op.END);
  }

  private block(block: Block): void {
    const { code } = this;
    const { body, ending, length } = block;
    if (length > 0) code.get(REMAINING).constant(length).byte(Op.I32_SUB).set(REMAINING);
    const checks = accessChecks(body);
    body.forEach(({ pc, bytes, instruction }, index) => {
      if (instruction === undefined) return;
      const check = checks.get(index);
      this.instructions.append(instruction, {
        pc,
        next: (pc + bytes) | 0,
        unexecuted: length - index,
        check,
      });
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
        code.open(Op.IF);
        this.follow(ending.taken, block);
        code.byte(Op.ELSE);
        this.follow(ending.otherwise, block);
        code.close(Op.END);
        code.byte(Op.UNREACHABLE);
        return;
      case 'interpret':
        this.instructions.interpret({ pc: ending.pc, unexecuted: 0 });
        return;
      case 'indirect':
        this.indirect(ending, block);
        return;
      case 'dispatch':
        code.get(ENTRY).branchTable(this.entries);
    }
  }

  /** Goes where an edge leads, from the end of `from`. */
  private follow({ pc, block, isDispatched }: Edge, from: Block): void {
    const { code } = this;
    if (block === undefined) {
      code.constant(pc).set(PC).constant(this.slotOf(pc)).set(SLOT);
      code.branch('leave');
      return;
    }
    if (isDispatched === true) {
      code.constant(this.entryNumbers.get(block) ?? 0).set(ENTRY);
      code.branch('dispatch');
      return;
    }
    const { order, isMerge } = this.placement(block);
    // Back to the head of a loop, or on to where ways meet.
    if (order <= this.placement(from).order || isMerge) code.branch(block);
    else this.tree(block);
  }

  private indirect(ending: Extract<Ending, { kind: 'indirect' }>, block: Block): void {
    const { code } = this;
    this.instructions.operand(ending.rs1);
    if (ending.immediate !== 0) code.constant(ending.immediate).byte(Op.I32_ADD);
    code.constant(-2).byte(Op.I32_AND).set(PC);
    if (ending.rd !== 0) code.constant(ending.next).set(localOf(ending.rd));
    for (const edge of ending.expected) {
      if (edge.block === undefined) continue;
      code.get(PC).constant(edge.pc).byte(Op.I32_EQ);
      code.open(Op.IF);
      this.follow(edge, block);
      code.close(Op.END);
    }
    code.branch('indirect');
  }

  /** Goes on at the program counter in the local: in this region, in another one, or back in the translator. */
  private lookUp(): void {
    const { code, layout } = this;
    code
      .get(PC)
      .constant(1)
      .byte(Op.I32_SHR_U)
      .constant(layout.jumpCacheEntries - 1)
      .byte(Op.I32_AND);
    code.constant(3).byte(Op.I32_SHL).tee(ADDRESS).access(Op.I32_LOAD, layout.jumpCache);
    code.get(PC).byte(Op.I32_EQ);
    code.open(Op.IF);
    code
      .get(ADDRESS)
      .access(Op.I32_LOAD, layout.jumpCache + 4)
      .tee(SLOT);
    this.entryOfSlot(ENTRY);
    code.get(ENTRY).constant(ENTRY_BITS).byte(Op.I32_SHR_U).constant(this.id).byte(Op.I32_EQ);
    code.open(Op.IF);
    code
      .get(ENTRY)
      .constant((1 << ENTRY_BITS) - 1)
      .byte(Op.I32_AND)
      .set(ENTRY);
    code.branch('dispatch');
    code.close(Op.END);
    code.branch('leave');
    code.close(Op.END);
    this.leave(Left.LOOK_UP);
  }

  /** Of the slot on the stack. */
  private entryOfSlot(to: number): void {
    const { code, layout } = this;
    code.constant(3).byte(Op.I32_SHL).access(Op.I32_LOAD, layout.slotEntries).set(to);
  }

  /** Leaves for the region that the slot leads to, or back to the translator if it leads to none. */
  private leaveToSlot(): void {
    this.spill();
    this.code.get(REMAINING).get(SLOT).byte(Op.RETURN);
  }

  private leave(why: number): void {
    const { code, layout } = this;
    this.spill();
    code.constant(0).constant(why).access(Op.I32_STORE, layout.left);
    code.get(REMAINING).constant(NO_SLOT).byte(Op.RETURN);
  }

  /** Gives back all that the translator and other regions look at. */
  private spill(): void {
    const { code, layout } = this;
    for (const register of this.registers.written)
      code
        .constant(0)
        .get(localOf(register))
        .access(Op.I32_STORE, layout.registers + 4 * register);
    code.constant(0).get(PC).access(Op.I32_STORE, layout.pc);
    code.constant(0).constant(this.id).access(Op.I32_STORE, layout.leftRegion);
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
