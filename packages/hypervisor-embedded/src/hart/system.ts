import { ILLEGAL, readCsr, writeCsr } from './csr.js';
import type { HartState } from './hartState.js';
import { ExceptionCause, MACHINE, MSTATUS_TW } from './privileged.js';
import { returnFromTrap } from './trap.js';

/** What {@link executeSystem} gives, besides the causes of exceptions. */
export const SystemOutcome = {
  /** The instruction is done; nothing has changed that the coming of an interrupt depends on. */
  DONE: -1,
  /** The instruction is done, and an interrupt may have become deliverable, or the hart may have to wait. */
  CHANGED: -2,
} as const;

export type SystemOutcome = (typeof SystemOutcome)[keyof typeof SystemOutcome];

const ECALL = 0x0000_0073;
const EBREAK = 0x0010_0073;
const MRET = 0x3020_0073;
const WFI = 0x1050_0073;

/**
 * An instruction with the opcode SYSTEM, at `state.pc`; `state.cycles` does not count it yet. Moves `state.pc` on,
 * unless it gives the cause of an exception.
 */
export function executeSystem(state: HartState, word: number): SystemOutcome | ExceptionCause {
  const operation = (word >>> 12) & 7;
  if (operation !== 0) return operation === 4 ? ExceptionCause.ILLEGAL_INSTRUCTION : accessCsr(state, word);
  switch (word) {
    case ECALL:
      return state.privilege === MACHINE ? ExceptionCause.ECALL_FROM_MACHINE : ExceptionCause.ECALL_FROM_USER;
    case EBREAK:
      return ExceptionCause.BREAKPOINT;
    case MRET:
      if (state.privilege !== MACHINE) return ExceptionCause.ILLEGAL_INSTRUCTION;
      returnFromTrap(state);
      return SystemOutcome.CHANGED;
    case WFI:
      if (state.privilege !== MACHINE && (state.mstatus & MSTATUS_TW) !== 0)
        return ExceptionCause.ILLEGAL_INSTRUCTION;
      state.waiting = true;
      state.pc = (state.pc + 4) | 0;
      return SystemOutcome.CHANGED;
    default:
      return ExceptionCause.ILLEGAL_INSTRUCTION;
  }
}

/** CSRRW, CSRRS, CSRRC and their immediate forms. */
function accessCsr(state: HartState, word: number): SystemOutcome | ExceptionCause {
  const { x } = state;
  const number = word >>> 20;
  const operation = (word >>> 12) & 3;
  const rs1 = (word >>> 15) & 31;
  const rd = (word >>> 7) & 31;
  // CSRRS and CSRRC write only where there is a source to write from, even if it holds 0; CSRRW always does.
  const writes = operation === 1 || rs1 !== 0;
  const before = readCsr(state, number, writes);
  if (before === ILLEGAL) return ExceptionCause.ILLEGAL_INSTRUCTION;
  if (writes) {
    const source = (word & 0x4000) !== 0 ? rs1 : (x[rs1] ?? 0);
    writeCsr(state, number, operation === 1 ? source : operation === 2 ? before | source : before & ~source);
  }
  if (rd !== 0) x[rd] = before;
  state.pc = (state.pc + 4) | 0;
  return writes ? SystemOutcome.CHANGED : SystemOutcome.DONE;
}
