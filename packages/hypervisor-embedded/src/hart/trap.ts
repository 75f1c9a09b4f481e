import { NO_RESERVATION, type HartState } from './hartState.js';
import {
  INTERRUPT_MACHINE_SOFTWARE,
  INTERRUPT_MACHINE_TIMER,
  MACHINE,
  MIP_MSIP,
  MIP_MTIP,
  MSTATUS_MIE,
  MSTATUS_MPIE,
  MSTATUS_MPP,
  USER,
  type ExceptionCause,
} from './privileged.js';

const INTERRUPT = 1 << 31;
const VECTORED = 1;

/**
 * Takes a synchronous exception at `state.pc`: one cycle, in which nothing retires. `value`: the new mtval.
 * Between instructions this is also how an exception is raised from outside, as if the hardware had.
 */
export function takeException(state: HartState, cause: ExceptionCause, value: number): void {
  state.exceptionCause = cause;
  state.exceptionPrivilege = state.privilege;
  state.cycles += 1;
  state.exceptions += 1;
  state.waiting = false;
  enter(state, cause, value, state.mtvec & ~3);
}

/** Takes an interrupt between two instructions; it costs no cycle. `number`: as in mcause, below the top bit. */
export function takeInterrupt(state: HartState, number: number): void {
  enter(state, INTERRUPT | number, 0, interruptHandler(state, number));
}

/** Whether a timer interrupt would be taken before the next instruction if it were pending. */
export function canTakeTimerInterrupt({ mie, mstatus, privilege }: HartState): boolean {
  return (mie & MIP_MTIP) !== 0 && (privilege === USER || (mstatus & MSTATUS_MIE) !== 0);
}

function interruptHandler({ mtvec }: HartState, number: number): number {
  const base = mtvec & ~3;
  return (mtvec & 3) === VECTORED ? base + 4 * number : base;
}

/** The first of the interrupts that are pending and enabled. */
export function firstInterrupt(pending: number): number {
  return (pending & MIP_MSIP) !== 0 ? INTERRUPT_MACHINE_SOFTWARE : INTERRUPT_MACHINE_TIMER;
}

/** Address of the handler of the interrupt that is taken before the next instruction. */
export function dueInterruptHandler(state: HartState): number {
  return interruptHandler(state, firstInterrupt(state.mie & state.mip));
}

function enter(state: HartState, mcause: number, mtval: number, handler: number): void {
  state.mepc = state.pc;
  state.mcause = mcause;
  state.mtval = mtval | 0;
  const kept = state.mstatus & ~(MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP);
  const enabledBefore = (state.mstatus & MSTATUS_MIE) !== 0 ? MSTATUS_MPIE : 0;
  state.mstatus = kept | enabledBefore | (state.privilege << 11);
  state.privilege = MACHINE;
  // Else a thread that is switched to could complete the LR/SC pair of the one that was interrupted.
  state.reservation = NO_RESERVATION;
  state.pc = handler | 0;
}

/** MRET: back to where the last trap came from. */
export function returnFromTrap(state: HartState): void {
  const previous = (state.mstatus & MSTATUS_MPP) === 0 ? 0 : MACHINE;
  const enabled = (state.mstatus & MSTATUS_MPIE) !== 0 ? MSTATUS_MIE : 0;
  // MPP becomes the least privileged mode; MPRV only outlives a return to machine mode.
  const cleared = previous === MACHINE ? MSTATUS_MIE | MSTATUS_MPP : MSTATUS_MIE | MSTATUS_MPP | (1 << 17);
  state.mstatus = (state.mstatus & ~cleared) | enabled | MSTATUS_MPIE;
  state.privilege = previous;
  state.pc = state.mepc;
  // A kernel sets mscratch at start-up, so the first return shows no switch.
  const switched = state.hasResumed && state.mscratch !== state.resumedContext;
  state.hasResumed = true;
  state.resumedContext = state.mscratch;
  if (state.currentTask !== undefined) state.lookAtTask();
  else if (switched) state.contextSwitchCycle = state.cycles;
}
