import type { TranslationLayout } from '../memory/translationLayout.js';
import type { AccessCheck } from './accessChecks.js';
import { appendArithmetic } from './arithmeticCode.js';
import type { Instruction } from './instruction.js';
import type { StructuredCode } from './structuredCode.js';
import { Op } from './wasmCode.js';

/** Locals. The first two are parameters. */
export const REMAINING = 0;
/** The number of the entry to go to. */
export const ENTRY = 1;
export const ADDRESS = 33;
export const PC = 34;
export const SLOT = 35;
export const LOCALS = 36;
export const PARAMETERS = 2;

/** The local that holds an integer register; x0 has none. */
export function localOf(register: number): number {
  return ENTRY + register;
}

/** The guard is the first import of a region's module that is a function. */
const GUARD = 0;

/** An instruction where it stands. */
export interface Place {
  readonly pc: number;
  /** Where the instruction that follows lies. */
  readonly next: number;
  /** Instructions that the budget was charged for and that are not executed yet, this one included. */
  readonly unexecuted: number;
  /** Of a load or store. */
  readonly check: AccessCheck | undefined;
}

/** Appends what single instructions do that do not end a block. */
export class InstructionCode {
  constructor(
    private readonly code: StructuredCode,
    private readonly layout: TranslationLayout,
  ) {}

  append(instruction: Instruction, place: Place): void {
    const { code } = this;
    switch (instruction.kind) {
      case 'immediate': {
        const { op, rd, rs1, immediate } = instruction;
        if (rd === 0) return;
        appendArithmetic(
          code,
          op,
          () => void this.operand(rs1),
          () => void code.constant(immediate),
        );
        code.set(localOf(rd));
        return;
      }
      case 'register': {
        const { op, rd, rs1, rs2 } = instruction;
        if (rd === 0) return;
        appendArithmetic(
          code,
          op,
          () => void this.operand(rs1),
          () => void this.operand(rs2),
        );
        code.set(localOf(rd));
        return;
      }
      case 'constant':
        if (instruction.rd !== 0) code.constant(instruction.value).set(localOf(instruction.rd));
        return;
      case 'jump':
        if (instruction.rd !== 0) code.constant(place.next).set(localOf(instruction.rd));
        return;
      case 'load':
        this.load(instruction, place);
        return;
      case 'store':
        this.store(instruction, place);
        return;
      case 'nothing':
      case 'branch':
      case 'indirect':
    }
  }

  operand(register: number): StructuredCode {
    if (register === 0) this.code.constant(0);
    else this.code.get(localOf(register));
    return this.code;
  }

  /** Leaves the instruction to the interpreter; the budget is given back what was not executed. */
  interpret({ pc, unexecuted }: Pick<Place, 'pc' | 'unexecuted'>): void {
    const { code } = this;
    if (unexecuted > 0) code.get(REMAINING).constant(unexecuted).byte(Op.I32_ADD).set(REMAINING);
    code.constant(pc).set(PC).branch('interpret');
  }

  /** The offset into RAM that an access goes to. */
  private offset(rs1: number, immediate: number): StructuredCode {
    return this.operand(rs1)
      .constant((immediate - this.layout.base) | 0)
      .byte(Op.I32_ADD);
  }

  private checkRange(rs1: number, place: Place): void {
    const range = place.check?.range;
    if (range === undefined) return;
    this.offset(rs1, range.from);
    this.code.constant(this.layout.bytes - (range.to - range.from)).byte(Op.I32_GT_U);
    this.interpretIf(place);
  }

  /** Leaves the instruction to the interpreter if what is on the stack is not 0. */
  private interpretIf(place: Place): void {
    const { code } = this;
    code.open(Op.IF);
    this.interpret(place);
    code.close(Op.END);
  }

  private load(
    { width, signed, rd, rs1, immediate }: Extract<Instruction, { kind: 'load' }>,
    place: Place,
  ): void {
    this.checkRange(rs1, place);
    if (rd === 0) return;
    this.offset(rs1, immediate)
      .access(LOADS[width][signed ? 0 : 1], 0)
      .set(localOf(rd));
  }

  private store({ width, rs1, rs2, immediate }: Extract<Instruction, { kind: 'store' }>, place: Place): void {
    const { code, layout } = this;
    this.checkRange(rs1, place);
    if (place.check?.isAligned === true) {
      this.offset(rs1, immediate)
        .constant(width - 1)
        .byte(Op.I32_AND);
      this.interpretIf(place);
    }
    if (layout.storeCheck) {
      this.offset(rs1, immediate).tee(ADDRESS);
      this.checkPage(place);
      code.get(ADDRESS);
    } else {
      this.offset(rs1, immediate);
    }
    this.operand(rs2);
    code.access(width === 4 ? Op.I32_STORE : width === 2 ? Op.I32_STORE16 : Op.I32_STORE8, 0);
  }

  /** Calls the guard if the page of the address on the stack is protected, or what was translated lies there. */
  private checkPage(place: Place): void {
    const { code, layout } = this;
    code.constant(12).byte(Op.I32_SHR_U).access(Op.I32_LOAD8_U, layout.pageState);
    code.open(Op.IF);
    code
      .get(ADDRESS)
      .get(REMAINING)
      .constant(place.unexecuted)
      .byte(Op.I32_ADD)
      .constant(place.pc)
      .byte(Op.CALL)
      .unsigned(GUARD);
    this.interpretIf(place);
    code.close(Op.END);
  }
}

const LOADS = {
  1: [Op.I32_LOAD8_S, Op.I32_LOAD8_U],
  2: [Op.I32_LOAD16_S, Op.I32_LOAD16_U],
  4: [Op.I32_LOAD, Op.I32_LOAD],
} as const;
