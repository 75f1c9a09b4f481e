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
/** What an atomic operation found. */
const FOUND = 36;
export const LOCALS = 37;
export const PARAMETERS = 2;

/** The local that holds an integer register; x0 has none. */
export function localOf(register: number): number {
  return ENTRY + register;
}

/** The functions that a region's module imports. */
const GUARD = 0;
const READ_CSR = 1;

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
      case 'atomic':
        this.atomic(instruction, place);
        return;
      case 'csr':
        this.readCsr(instruction, place);
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
    code.get(ADDRESS);
    this.call(GUARD, place);
    this.interpretIf(place);
    code.close(Op.END);
  }

  /** Calls a function that takes what is on the stack, the rest of the budget and the program counter. */
  private call(imported: number, { pc, unexecuted }: Place): void {
    const { code } = this;
    code.get(REMAINING).constant(unexecuted).byte(Op.I32_ADD).constant(pc);
    code.byte(Op.CALL).unsigned(imported);
  }

  /** No reservation is held while translated code runs, so that none is lost. */
  private atomic({ op, rd, rs1, rs2 }: Extract<Instruction, { kind: 'atomic' }>, place: Place): void {
    const { code, layout } = this;
    this.offset(rs1, 0).tee(ADDRESS).constant(3).byte(Op.I32_AND);
    code.get(ADDRESS).constant(layout.bytes).byte(Op.I32_GE_U).byte(Op.I32_OR);
    this.interpretIf(place);
    if (layout.storeCheck) {
      code.get(ADDRESS);
      this.checkPage(place);
    }
    code.get(ADDRESS).access(Op.I32_LOAD, 0).set(FOUND);
    code.get(ADDRESS);
    const operand = () => void this.operand(rs2);
    if (op === 'swap') operand();
    else appendArithmetic(code, op, () => void code.get(FOUND), operand);
    code.access(Op.I32_STORE, 0);
    if (rd !== 0) code.get(FOUND).set(localOf(rd));
  }

  private readCsr({ csr, rd }: Extract<Instruction, { kind: 'csr' }>, place: Place): void {
    const { code, layout } = this;
    code.constant(csr);
    this.call(READ_CSR, place);
    code.byte(Op.I32_EQZ);
    this.interpretIf(place);
    if (rd !== 0) code.constant(0).access(Op.I32_LOAD, layout.csr).set(localOf(rd));
  }
}

const LOADS = {
  1: [Op.I32_LOAD8_S, Op.I32_LOAD8_U],
  2: [Op.I32_LOAD16_S, Op.I32_LOAD16_U],
  4: [Op.I32_LOAD, Op.I32_LOAD],
} as const;
