import { placeBlocks, edgesOf, type Placement } from './controlFlow.js';
import type { Arithmetic, Condition, Instruction } from './instruction.js';
import type { Block, Edge, Ending, Region } from './region.js';
import { I32, Op, VOID, WasmCode } from './wasmCode.js';

/** Where translated code finds what it works on, as offsets into the memory that begins with guest RAM. */
export interface TranslationLayout {
  /** Guest-physical address of the first byte of RAM, and its size. */
  readonly base: number;
  readonly bytes: number;
  /** 64 KiB pages of the whole memory. */
  readonly wasmPages: number;
  readonly pageState: number;
  readonly registers: number;
  /** The program counter at which translated code was left. */
  readonly pc: number;
  /** Why it was left: one of {@link Left}. */
  readonly left: number;
  /** Entries of 8 bytes: a program counter and the slot of the region that begins there. */
  readonly jumpCache: number;
  readonly jumpCacheEntries: number;
}

/** Why translated code was left. */
export const Left = {
  /** No region begins at the program counter. */
  LOOK_UP: 0,
  /** The interpreter has to execute the instruction at the program counter. */
  INTERPRET: 1,
  /** The rest of the budget may not suffice for the way to the next check. */
  SPENT: 2,
} as const;

const REMAINING = 0;
const ADDRESS = 32;
const PC = 33;
/** x1 to x31 are locals 1 to 31. */
const EXTRA_LOCALS = 33;

const REGION_TYPE = 0;
const GUARD_TYPE = 1;
const GUARD = 0;

/** An enclosing construct that code can branch to. */
type Label =
  { readonly to: Block; readonly kind: 'loop' | 'merge' } | { readonly kind: 'interpret' | 'spent' | 'if' };

/** The WebAssembly module of a region. It exports one function `r`: the rest of the budget in, what is left of it out. */
export function compileRegion(
  region: Region,
  layout: TranslationLayout,
  slotOf: (pc: number) => number,
): Uint8Array {
  const body = new RegionCompiler(region, layout, slotOf).compile();
  const module = new WasmCode(body.length + 256);
  module.raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  module.section(
    1,
    new WasmCode(32)
      .unsigned(2)
      .raw(Uint8Array.of(0x60, 1, I32, 1, I32))
      .raw(Uint8Array.of(0x60, 3, I32, I32, I32, 1, I32)),
  );
  const imports = new WasmCode(64).unsigned(3);
  importName(imports, 'm').byte(2).byte(1).unsigned(layout.wasmPages).unsigned(layout.wasmPages);
  importName(imports, 't').byte(1).byte(0x70).byte(0).unsigned(0);
  importName(imports, 'g').byte(0).unsigned(GUARD_TYPE);
  module.section(2, imports);
  module.section(3, new WasmCode(8).unsigned(1).unsigned(REGION_TYPE));
  module.section(
    7,
    new WasmCode(8)
      .unsigned(1)
      .raw(Uint8Array.of(1, 0x72, 0))
      .unsigned(1),
  );
  module.section(10, new WasmCode(body.length + 16).unsigned(1).sized(body));
  return module.toBytes();
}

function importName(to: WasmCode, name: string): WasmCode {
  return to.raw(Uint8Array.of(1, 0x65, 1, name.charCodeAt(0)));
}

class RegionCompiler {
  private readonly code = new WasmCode(8192);
  private readonly placements: ReadonlyMap<Block, Placement>;
  private readonly blocks: readonly Block[];
  private readonly checks = new Map<Block, number>();
  private readonly used = new Set<number>();
  private readonly written = new Set<number>();
  private readonly writtenBefore = new Map<Block, ReadonlySet<number>>();
  private readonly labels: Label[] = [];

  constructor(
    private readonly region: Region,
    private readonly layout: TranslationLayout,
    private readonly slotOf: (pc: number) => number,
  ) {
    this.placements = placeBlocks(region.entry);
    this.blocks = [...this.placements.keys()];
    this.findRegisters();
    this.findChecks();
  }

  compile(): WasmCode {
    const { code, layout } = this;
    code.unsigned(1).unsigned(EXTRA_LOCALS).byte(I32);
    this.open(Op.BLOCK, { kind: 'interpret' });
    this.open(Op.BLOCK, { kind: 'spent' });
    const { entry } = this.region;
    for (const register of this.used)
      code
        .constant(0)
        .access(Op.I32_LOAD, layout.registers + 4 * register)
        .set(register);
    if (!this.placement(entry).isLoop) this.check(entry);
    this.tree(entry);
    code.byte(0x00);
    this.close();
    this.leave(Left.SPENT);
    this.close();
    this.leave(Left.INTERPRET);
    code.byte(Op.END);
    return code;
  }

  /** Which registers the region uses at all, and which may have been written on the way to each block. */
  private findRegisters(): void {
    for (const block of this.blocks) {
      for (const { instruction } of block.body) if (instruction !== undefined) this.note(instruction);
      this.noteEnding(block.ending);
    }
    this.used.delete(0);
    this.written.delete(0);
    const before = new Map<Block, Set<number>>(this.blocks.map((block) => [block, new Set()]));
    for (let changed = true; changed;) {
      changed = false;
      for (const block of this.blocks) {
        const after = this.writtenAfter(block, before.get(block) ?? new Set());
        for (const { block: next } of edgesOf(block.ending)) {
          const known = next === undefined ? undefined : before.get(next);
          if (known === undefined) continue;
          for (const register of after) {
            if (known.has(register)) continue;
            known.add(register);
            changed = true;
          }
        }
      }
    }
    for (const [block, registers] of before) this.writtenBefore.set(block, registers);
  }

  private writtenAfter(block: Block, before: ReadonlySet<number>): Set<number> {
    const after = new Set(before);
    for (const { instruction } of block.body) {
      if (instruction !== undefined && 'rd' in instruction) after.add(instruction.rd);
    }
    if (block.ending.kind === 'indirect') after.add(block.ending.rd);
    after.delete(0);
    return after;
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

  private open(op: Op, label: Label): void {
    this.code.byte(op).byte(VOID);
    this.labels.push(label);
  }

  private close(): void {
    this.code.byte(Op.END);
    this.labels.pop();
  }

  private branchTo(isIt: (label: Label) => boolean): void {
    const index = this.labels.findLastIndex(isIt);
    this.code.byte(Op.BR).unsigned(this.labels.length - 1 - index);
  }

  /** Code of a block and of all that it dominates. */
  private tree(block: Block): void {
    const { isLoop, merges } = this.placement(block);
    if (!isLoop) {
      this.within(block, merges);
      return;
    }
    this.open(Op.LOOP, { to: block, kind: 'loop' });
    this.check(block);
    this.within(block, merges);
    this.close();
  }

  private within(block: Block, [merge, ...others]: readonly Block[]): void {
    if (merge === undefined) {
      this.block(block);
      return;
    }
    this.open(Op.BLOCK, { to: merge, kind: 'merge' });
    this.within(block, others);
    this.close();
    this.tree(merge);
  }

  private check(block: Block): void {
    const { code } = this;
    code
      .get(REMAINING)
      .constant(this.checks.get(block) ?? 0)
      .byte(Op.I32_LT_S);
    this.open(Op.IF, { kind: 'if' });
    code.constant(block.pc).set(PC);
    this.branchTo(({ kind }) => kind === 'spent');
    this.close();
  }

  private block(block: Block): void {
    const { code } = this;
    const { body, ending, length } = block;
    if (length > 0) code.get(REMAINING).constant(length).byte(Op.I32_SUB).set(REMAINING);
    body.forEach(({ pc, bytes, instruction }, index) => {
      if (instruction !== undefined) this.instruction(instruction, pc, (pc + bytes) | 0, length - index);
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
        this.operand(ending.rs1);
        this.operand(ending.rs2);
        code.byte(CONDITIONS[ending.op]);
        this.open(Op.IF, { kind: 'if' });
        this.follow(ending.taken, block);
        code.byte(Op.ELSE);
        this.follow(ending.otherwise, block);
        this.close();
        code.byte(0x00);
        return;
      case 'interpret':
        this.interpret(ending.pc, 0);
        return;
      case 'indirect':
        this.indirect(ending, block);
    }
  }

  /** Goes where an edge leads, from the end of `from`. */
  private follow({ pc, block }: Edge, from: Block): void {
    if (block === undefined) {
      this.leaveTo(pc, from);
      return;
    }
    const { order, isMerge } = this.placement(block);
    if (order <= this.placement(from).order) {
      this.branchTo((label) => label.kind === 'loop' && label.to === block);
    } else if (isMerge) {
      this.branchTo((label) => label.kind === 'merge' && label.to === block);
    } else {
      this.tree(block);
    }
  }

  private indirect(ending: Extract<Ending, { kind: 'indirect' }>, block: Block): void {
    const { code, layout } = this;
    this.operand(ending.rs1);
    if (ending.immediate !== 0) code.constant(ending.immediate).byte(Op.I32_ADD);
    code.constant(-2).byte(Op.I32_AND).set(PC);
    if (ending.rd !== 0) code.constant(ending.next).set(ending.rd);
    if (ending.expected !== undefined) {
      code.get(PC).constant(ending.expected.pc).byte(Op.I32_EQ);
      this.open(Op.IF, { kind: 'if' });
      this.follow(ending.expected, block);
      this.close();
    }
    this.spill(this.writtenAfter(block, this.writtenBefore.get(block) ?? new Set()));
    code.constant(0).get(PC).access(Op.I32_STORE, layout.pc);
    code
      .get(PC)
      .constant(1)
      .byte(Op.I32_SHR_U)
      .constant(layout.jumpCacheEntries - 1)
      .byte(Op.I32_AND);
    code.constant(3).byte(Op.I32_SHL).tee(ADDRESS).access(Op.I32_LOAD, layout.jumpCache);
    code.get(PC).byte(Op.I32_EQ);
    this.open(Op.IF, { kind: 'if' });
    code
      .get(REMAINING)
      .get(ADDRESS)
      .access(Op.I32_LOAD, layout.jumpCache + 4);
    code.byte(Op.RETURN_CALL_INDIRECT).unsigned(REGION_TYPE).unsigned(0);
    this.close();
    code.constant(0).constant(Left.LOOK_UP).access(Op.I32_STORE, layout.left);
    code.get(REMAINING).byte(Op.RETURN);
  }

  /** Leaves the region for a known place: the region that begins there, once there is one. */
  private leaveTo(pc: number, from: Block): void {
    const { code, layout } = this;
    this.spill(this.writtenAfter(from, this.writtenBefore.get(from) ?? new Set()));
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
    this.spill(this.written);
    code.constant(0).get(PC).access(Op.I32_STORE, layout.pc);
    code.constant(0).constant(why).access(Op.I32_STORE, layout.left);
    code.get(REMAINING).byte(Op.RETURN);
  }

  /** Leaves the instruction at `pc` to the interpreter; `unexecuted`: of those that the block has counted already. */
  private interpret(pc: number, unexecuted: number): void {
    const { code } = this;
    if (unexecuted > 0) code.get(REMAINING).constant(unexecuted).byte(Op.I32_ADD).set(REMAINING);
    code.constant(pc).set(PC);
    this.branchTo(({ kind }) => kind === 'interpret');
  }

  private operand(register: number): void {
    if (register === 0) this.code.constant(0);
    else this.code.get(register);
  }

  private instruction(instruction: Instruction, pc: number, next: number, unexecuted: number): void {
    const { code } = this;
    switch (instruction.kind) {
      case 'immediate': {
        const { op, rd, rs1, immediate } = instruction;
        if (rd !== 0) this.arithmetic(op, rs1, () => void code.constant(immediate)).set(rd);
        return;
      }
      case 'register': {
        const { op, rd, rs1, rs2 } = instruction;
        if (rd !== 0) this.arithmetic(op, rs1, () => this.operand(rs2)).set(rd);
        return;
      }
      case 'constant':
        if (instruction.rd !== 0) code.constant(instruction.value).set(instruction.rd);
        return;
      case 'jump':
        if (instruction.rd !== 0) code.constant(next).set(instruction.rd);
        return;
      case 'load':
        this.load(instruction, pc, unexecuted);
        return;
      case 'store':
        this.store(instruction, pc, unexecuted);
        return;
      case 'nothing':
      case 'branch':
      case 'indirect':
    }
  }

  /** Leaves the result on the stack. */
  private arithmetic(op: Arithmetic, rs1: number, right: () => void): WasmCode {
    const { code } = this;
    const left = (): void => this.operand(rs1);
    if (isSimple(op)) {
      left();
      right();
      return code.byte(SIMPLE[op]);
    }
    switch (op) {
      case 'mulh':
      case 'mulhsu':
      case 'mulhu':
        this.wide(left, op !== 'mulhu');
        this.wide(right, op === 'mulh');
        code.byte(Op.I64_MUL).byte(Op.I64_CONST).signed(32).byte(Op.I64_SHR_U).byte(Op.I32_WRAP_I64);
        break;
      case 'sh1add':
      case 'sh2add':
      case 'sh3add':
        left();
        code.constant(Number(op[2])).byte(Op.I32_SHL);
        right();
        code.byte(Op.I32_ADD);
        break;
      case 'andn':
      case 'orn':
      case 'xnor':
        left();
        right();
        code.constant(-1).byte(Op.I32_XOR);
        code.byte(op === 'andn' ? Op.I32_AND : op === 'orn' ? Op.I32_OR : Op.I32_XOR);
        break;
      case 'min':
      case 'minu':
      case 'max':
      case 'maxu':
        left();
        right();
        left();
        right();
        code.byte(op.endsWith('u') ? Op.I32_LT_U : Op.I32_LT_S);
        if (op.startsWith('max')) code.byte(Op.I32_EQZ);
        code.byte(Op.SELECT);
        break;
      case 'bset':
      case 'binv':
        left();
        code.constant(1);
        right();
        code.byte(Op.I32_SHL).byte(op === 'bset' ? Op.I32_OR : Op.I32_XOR);
        break;
      case 'bclr':
        left();
        code.constant(-2);
        right();
        code.byte(Op.I32_ROTL).byte(Op.I32_AND);
        break;
      case 'bext':
        left();
        right();
        code.byte(Op.I32_SHR_U).constant(1).byte(Op.I32_AND);
        break;
      case 'clz':
      case 'ctz':
      case 'cpop':
      case 'sext.b':
      case 'sext.h':
        left();
        code.byte(UNARY[op]);
        break;
      case 'zext.h':
        left();
        code.constant(0xffff).byte(Op.I32_AND);
        break;
      case 'div':
      case 'divu':
      case 'rem':
      case 'remu':
        this.divide(op === 'div' || op === 'rem', op.startsWith('rem'), left, right);
    }
    return code;
  }

  /** In 64 bits nothing overflows, and a divisor of zero is answered as the instruction set says. */
  private divide(isSigned: boolean, isRemainder: boolean, left: () => void, right: () => void): void {
    const { code } = this;
    right();
    code.byte(Op.IF).byte(I32);
    this.wide(left, isSigned);
    this.wide(right, isSigned);
    if (isRemainder) code.byte(isSigned ? Op.I64_REM_S : Op.I64_REM_U);
    else code.byte(isSigned ? Op.I64_DIV_S : Op.I64_DIV_U);
    code.byte(Op.I32_WRAP_I64).byte(Op.ELSE);
    if (isRemainder) left();
    else code.constant(-1);
    code.byte(Op.END);
  }

  private wide(value: () => void, isSigned: boolean): void {
    value();
    this.code.byte(isSigned ? Op.I64_EXTEND_I32_S : Op.I64_EXTEND_I32_U);
  }

  private offset(rs1: number, immediate: number): void {
    this.operand(rs1);
    this.code
      .constant((immediate - this.layout.base) | 0)
      .byte(Op.I32_ADD)
      .tee(ADDRESS);
  }

  private load(
    { width, signed, rd, rs1, immediate }: Extract<Instruction, { kind: 'load' }>,
    pc: number,
    unexecuted: number,
  ): void {
    const { code } = this;
    this.offset(rs1, immediate);
    code.constant(this.layout.bytes - width).byte(Op.I32_GT_U);
    this.open(Op.IF, { kind: 'if' });
    this.interpret(pc, unexecuted);
    this.close();
    if (rd === 0) return;
    code
      .get(ADDRESS)
      .access(LOADS[width][signed ? 0 : 1], 0)
      .set(rd);
  }

  private store(
    { width, rs1, rs2, immediate }: Extract<Instruction, { kind: 'store' }>,
    pc: number,
    unexecuted: number,
  ): void {
    const { code, layout } = this;
    this.offset(rs1, immediate);
    // Rotated, an address that is not aligned is larger than any that lies in RAM.
    const shift = width === 4 ? 2 : width - 1;
    if (shift > 0) code.constant(shift).byte(Op.I32_ROTR);
    code.constant((layout.bytes >>> shift) - 1).byte(Op.I32_GT_U);
    this.open(Op.IF, { kind: 'if' });
    this.interpret(pc, unexecuted);
    this.close();
    code.get(ADDRESS).constant(12).byte(Op.I32_SHR_U).access(Op.I32_LOAD8_U, layout.pageState);
    this.open(Op.IF, { kind: 'if' });
    code
      .get(ADDRESS)
      .get(REMAINING)
      .constant(unexecuted)
      .byte(Op.I32_ADD)
      .constant(pc)
      .byte(Op.CALL)
      .unsigned(GUARD);
    this.open(Op.IF, { kind: 'if' });
    this.interpret(pc, unexecuted);
    this.close();
    this.close();
    code.get(ADDRESS);
    this.operand(rs2);
    code.access(width === 4 ? Op.I32_STORE : width === 2 ? Op.I32_STORE16 : Op.I32_STORE8, 0);
  }
}

const SIMPLE = {
  add: Op.I32_ADD,
  sub: Op.I32_SUB,
  sll: Op.I32_SHL,
  slt: Op.I32_LT_S,
  sltu: Op.I32_LT_U,
  xor: Op.I32_XOR,
  srl: Op.I32_SHR_U,
  sra: Op.I32_SHR_S,
  or: Op.I32_OR,
  and: Op.I32_AND,
  mul: Op.I32_MUL,
  rol: Op.I32_ROTL,
  ror: Op.I32_ROTR,
} as const satisfies Partial<Record<Arithmetic, Op>>;

function isSimple(op: Arithmetic): op is keyof typeof SIMPLE {
  return op in SIMPLE;
}

const UNARY = {
  clz: Op.I32_CLZ,
  ctz: Op.I32_CTZ,
  cpop: Op.I32_POPCNT,
  'sext.b': Op.I32_EXTEND8_S,
  'sext.h': Op.I32_EXTEND16_S,
} as const;

const CONDITIONS: Readonly<Record<Condition, Op>> = {
  eq: Op.I32_EQ,
  ne: Op.I32_NE,
  lt: Op.I32_LT_S,
  ge: Op.I32_GE_S,
  ltu: Op.I32_LT_U,
  geu: Op.I32_GE_U,
};

const LOADS = {
  1: [Op.I32_LOAD8_S, Op.I32_LOAD8_U],
  2: [Op.I32_LOAD16_S, Op.I32_LOAD16_U],
  4: [Op.I32_LOAD, Op.I32_LOAD],
} as const;
