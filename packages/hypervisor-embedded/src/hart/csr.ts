import type { HartState } from './hartState.js';
import {
  MACHINE,
  MIP_MEIP,
  MIP_MSIP,
  MIP_MTIP,
  MSTATUS_MIE,
  MSTATUS_MPIE,
  MSTATUS_MPP,
  MSTATUS_MPRV,
  MSTATUS_TW,
  USER,
} from './privileged.js';

/** mie: there is no external interrupt controller, but guests written for a board with one set its bit too. */
export const WRITABLE_MIE = MIP_MSIP | MIP_MTIP | MIP_MEIP;
/** mcounteren: cycle, time and instret. */
export const WRITABLE_MCOUNTEREN = 0b111;

const WRITABLE_MSTATUS = MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPRV | MSTATUS_TW;

/** What mstatus holds after a write of `value`. A privilege level that the hart does not have leaves MPP as it was. */
export function writableMstatus(before: number, value: number): number {
  const wanted = (value & MSTATUS_MPP) >>> 11;
  const previous = wanted === USER || wanted === MACHINE ? value & MSTATUS_MPP : before & MSTATUS_MPP;
  return (value & WRITABLE_MSTATUS) | previous;
}

/** What mtvec holds after a write of `value`. A reserved mode leaves it as it was, as on QEMU. */
export function writableMtvec(before: number, value: number): number {
  return (value & 2) === 0 ? value | 0 : before;
}

/** RV32 with A, B (Zba, Zbb, Zbs), C, I, M and user mode. */
const MISA = (1 << 30) | (1 << 0) | (1 << 1) | (1 << 2) | (1 << 8) | (1 << 12) | (1 << 20);

/** What {@link readCsr} gives where the access is an illegal instruction. */
export const ILLEGAL = -1;

const MSTATUS = 0x300;
const MISA_NUMBER = 0x301;
const MIE = 0x304;
const MTVEC = 0x305;
const MCOUNTEREN = 0x306;
const MENVCFG = 0x30a;
const MSTATUSH = 0x310;
const MENVCFGH = 0x31a;
const MCOUNTINHIBIT = 0x320;
const MHPMEVENT3 = 0x323;
const MHPMEVENT31 = 0x33f;
const MSCRATCH = 0x340;
const MEPC = 0x341;
const MCAUSE = 0x342;
const MTVAL = 0x343;
const MIP = 0x344;
const PMPCFG0 = 0x3a0;
const PMPCFG15 = 0x3af;
const PMPADDR0 = 0x3b0;
const PMPADDR63 = 0x3ef;
const MCYCLE = 0xb00;
const MINSTRET = 0xb02;
const MHPMCOUNTER3 = 0xb03;
const MHPMCOUNTER31 = 0xb1f;
const MCYCLEH = 0xb80;
const MINSTRETH = 0xb82;
const MHPMCOUNTER3H = 0xb83;
const MHPMCOUNTER31H = 0xb9f;
const CYCLE = 0xc00;
const TIME = 0xc01;
const INSTRET = 0xc02;
const HPMCOUNTER3 = 0xc03;
const HPMCOUNTER31 = 0xc1f;
const CYCLEH = 0xc80;
const TIMEH = 0xc81;
const INSTRETH = 0xc82;
const HPMCOUNTER3H = 0xc83;
const HPMCOUNTER31H = 0xc9f;
const MVENDORID = 0xf11;
const MCONFIGPTR = 0xf15;

/**
 * Reads a control and status register for the instruction at `state.pc`, which has not been counted yet. `writes`:
 * whether the instruction will write it too. Unsigned, or {@link ILLEGAL}: there is no such register, it is out of
 * reach for the privilege level, or it cannot be written.
 */
export function readCsr(state: HartState, number: number, writes: boolean): number {
  if (state.privilege < ((number >>> 8) & 3)) return ILLEGAL;
  if (writes && number >>> 10 === 3) return ILLEGAL;
  switch (number) {
    case MSTATUS:
      return state.mstatus >>> 0;
    case MISA_NUMBER:
      return MISA;
    case MIE:
      return state.mie;
    case MTVEC:
      return state.mtvec >>> 0;
    case MCOUNTEREN:
      return state.mcounteren;
    case MSCRATCH:
      return state.mscratch >>> 0;
    case MEPC:
      return state.mepc >>> 0;
    case MCAUSE:
      return state.mcause >>> 0;
    case MTVAL:
      return state.mtval >>> 0;
    case MIP:
      return state.mip;
    case MCYCLE:
      return state.mcycle.low(state.cycles);
    case MCYCLEH:
      return state.mcycle.high(state.cycles);
    case MINSTRET:
      return state.minstret.low(state.instructions);
    case MINSTRETH:
      return state.minstret.high(state.instructions);
    case CYCLE:
      return mayCount(state, 0) ? state.mcycle.low(state.cycles) : ILLEGAL;
    case CYCLEH:
      return mayCount(state, 0) ? state.mcycle.high(state.cycles) : ILLEGAL;
    case TIME:
      return mayCount(state, 1) ? state.clint.timeLow(state.cycles) : ILLEGAL;
    case TIMEH:
      return mayCount(state, 1) ? state.clint.timeHigh(state.cycles) : ILLEGAL;
    case INSTRET:
      return mayCount(state, 2) ? state.minstret.low(state.instructions) : ILLEGAL;
    case INSTRETH:
      return mayCount(state, 2) ? state.minstret.high(state.instructions) : ILLEGAL;
    default:
      return readsAsZero(state, number) ? 0 : ILLEGAL;
  }
}

/**
 * Writes a register that {@link readCsr} has just let through. A value written to a counter is what the next
 * instruction reads: the write takes the place of the instruction's own count.
 */
export function writeCsr(state: HartState, number: number, value: number): void {
  const bits = value | 0;
  switch (number) {
    case MSTATUS:
      state.mstatus = writableMstatus(state.mstatus, bits);
      return;
    case MIE:
      state.mie = bits & WRITABLE_MIE;
      return;
    case MTVEC:
      state.mtvec = writableMtvec(state.mtvec, bits);
      return;
    case MCOUNTEREN:
      state.mcounteren = bits & WRITABLE_MCOUNTEREN;
      return;
    case MSCRATCH:
      state.mscratch = bits;
      return;
    case MEPC:
      state.mepc = bits & ~1;
      return;
    case MCAUSE:
      state.mcause = bits;
      return;
    case MTVAL:
      state.mtval = bits;
      return;
    case MCYCLE:
      state.mcycle.write(bits, state.mcycle.high(state.cycles), state.cycles + 1);
      return;
    case MCYCLEH:
      state.mcycle.write(state.mcycle.low(state.cycles), bits, state.cycles + 1);
      return;
    case MINSTRET:
      state.minstret.write(bits, state.minstret.high(state.instructions), state.instructions + 1);
      return;
    case MINSTRETH:
      state.minstret.write(state.minstret.low(state.instructions), bits, state.instructions + 1);
      return;
    default:
    // All others are hardwired; misa and mip are, too.
  }
}

/** Whether the hart may read cycle (0), time (1) or instret (2): in user mode, mcounteren says. */
function mayCount(state: HartState, counter: number): boolean {
  return state.privilege === MACHINE || ((state.mcounteren >>> counter) & 1) !== 0;
}

/**
 * Registers that the hart has only in so far as they read zero and ignore writes: features that it lacks. PMP is one:
 * with no entries, as the specification allows, every access of user mode is permitted.
 */
function readsAsZero(state: HartState, number: number): boolean {
  if (number >= HPMCOUNTER3 && number <= HPMCOUNTER31H) {
    const isCounter = number <= HPMCOUNTER31 || number >= HPMCOUNTER3H;
    return isCounter && state.privilege === MACHINE;
  }
  return (
    number === MENVCFG ||
    number === MENVCFGH ||
    number === MSTATUSH ||
    number === MCOUNTINHIBIT ||
    (number >= MHPMEVENT3 && number <= MHPMEVENT31) ||
    (number >= PMPCFG0 && number <= PMPCFG15) ||
    (number >= PMPADDR0 && number <= PMPADDR63) ||
    (number >= MHPMCOUNTER3 && number <= MHPMCOUNTER31) ||
    (number >= MHPMCOUNTER3H && number <= MHPMCOUNTER31H) ||
    (number >= MVENDORID && number <= MCONFIGPTR)
  );
}
