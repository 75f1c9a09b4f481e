import { EXPANDED } from './compressed.js';
import type { HartState } from './hartState.js';
import { MACHINE, MSTATUS_MIE, USER } from './privileged.js';
import type { HartMemory } from './processor.js';

/** What the next instruction of a hart does with a register. */
export interface RegisterUse {
  /** It depends on the register: as a source, as an address, or because the hardware consults it. */
  readonly reads: boolean;
  /** It replaces all of the register, if it raises no exception. */
  readonly overwrites: boolean;
}

const NONE: RegisterUse = { reads: false, overwrites: false };
const READ: RegisterUse = { reads: true, overwrites: false };

/** The hardware consults these at every instruction. */
const ALWAYS_CONSULTED: ReadonlySet<string> = new Set(['pc', 'privilege', 'mstatus', 'mie']);
/** A trap sets these. */
const SET_BY_TRAP: ReadonlySet<string> = new Set(['mepc', 'mcause', 'mtval']);
const CSR_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['mtvec', 0x305],
  ['mcounteren', 0x306],
  ['mscratch', 0x340],
  ['mepc', 0x341],
  ['mcause', 0x342],
  ['mtval', 0x343],
]);
const MRET = 0x3020_0073;
const CYCLE = 0xc00;
const INSTRET_HIGH = 0xc82;

/** Whether an interrupt is taken before the next instruction. */
export function interruptIsDue(state: HartState): boolean {
  if ((state.mie & state.mip) === 0) return false;
  return state.privilege === USER || (state.mstatus & MSTATUS_MIE) !== 0;
}

/** Whether no interrupt can be taken while mstatus, mie and the privilege stay as they are. */
export function interruptsAreOff(state: HartState): boolean {
  return state.mie === 0 || (state.privilege === MACHINE && (state.mstatus & MSTATUS_MIE) === 0);
}

/** The instruction at `state.pc`, expanded to 32 bits. Undefined where there is no RAM. */
export function nextInstruction(
  { pc }: Pick<HartState, 'pc'>,
  { base, bytes, u16 }: HartMemory,
): number | undefined {
  const offset = (pc - base) >>> 0;
  if (offset > bytes - 2) return undefined;
  const half = u16[offset >>> 1] ?? 0;
  if ((half & 3) !== 3) return EXPANDED[half];
  return offset > bytes - 4 ? undefined : half | ((u16[(offset >>> 1) + 1] ?? 0) << 16);
}

/**
 * What the instruction `word` does with a register. For a hart that takes no interrupt first, and whose instruction
 * raises no exception; a trap is {@link trapUse}.
 */
export function instructionUse(
  word: number,
  register: string,
  state: Pick<HartState, 'privilege'>,
): RegisterUse {
  if (ALWAYS_CONSULTED.has(register)) return READ;
  const csr = CSR_NUMBERS.get(register);
  if (csr !== undefined) return csrUse(word, register, csr, state);
  const number = Number(register.slice(1));
  return { reads: sources(word).includes(number), overwrites: destination(word) === number };
}

/** What taking an interrupt or exception does with a register. */
export function trapUse(register: string): RegisterUse {
  if (ALWAYS_CONSULTED.has(register) || register === 'mtvec') return READ;
  return SET_BY_TRAP.has(register) ? { reads: false, overwrites: true } : NONE;
}

function csrUse(
  word: number,
  register: string,
  csr: number,
  state: Pick<HartState, 'privilege'>,
): RegisterUse {
  if ((word & 0x7f) !== 0x73) return NONE;
  if (word === MRET) return register === 'mepc' || register === 'mscratch' ? READ : NONE;
  const operation = (word >>> 12) & 3;
  if (operation === 0) return NONE;
  const accessed = word >>> 20;
  if (register === 'mcounteren' && accessed >= CYCLE && accessed <= INSTRET_HIGH)
    return state.privilege === USER ? READ : NONE;
  if (accessed !== csr) return NONE;
  // CSRRW without a destination only writes. What mtvec takes depends on what it holds.
  const onlyWrites = operation === 1 && destination(word) === undefined && register !== 'mtvec';
  return onlyWrites ? { reads: false, overwrites: true } : READ;
}

/** Numbers of the integer registers that an instruction takes its operands from. */
function sources(word: number): readonly number[] {
  const rs1 = (word >>> 15) & 31;
  const rs2 = (word >>> 20) & 31;
  switch (word & 0x7f) {
    case 0x03:
    case 0x13:
    case 0x67:
      return [rs1];
    case 0x23:
    case 0x2f:
    case 0x33:
    case 0x63:
      return [rs1, rs2];
    case 0x73:
      return ((word >>> 12) & 7) !== 0 && (word & 0x4000) === 0 ? [rs1] : [];
    default:
      return [];
  }
}

/** Number of the integer register that an instruction sets. */
function destination(word: number): number | undefined {
  const rd = (word >>> 7) & 31;
  if (rd === 0) return undefined;
  switch (word & 0x7f) {
    case 0x03:
    case 0x13:
    case 0x17:
    case 0x2f:
    case 0x33:
    case 0x37:
    case 0x67:
    case 0x6f:
      return rd;
    case 0x73:
      return ((word >>> 12) & 3) !== 0 ? rd : undefined;
    default:
      return undefined;
  }
}
