import type { Clint } from '../devices/clint.js';
import { Counter } from './counter.js';
import { MACHINE, MIP_MTIP, USER } from './privileged.js';
import type { StateReader, StateWriter } from '../memory/stateStream.js';

/**
 * All of a hart that is not in memory. Registers are signed 32-bit numbers, which is what JavaScript computes
 * with fastest.
 */
export class HartState {
  /** Bytes that {@link save} writes. */
  static readonly BYTES = 4 * 32 + 4 * 12 + 4 + 3 * 8 + 2 * Counter.BYTES;
  /** Where among them the counters begin, which go on with every instruction. */
  static readonly COUNTERS_AT = 4 * 32 + 4 * 12 + 4;

  /** Program counter, a multiple of 2. */
  pc = 0;
  privilege: typeof USER | typeof MACHINE = MACHINE;
  mstatus = 0;
  mie = 0;
  mtvec = 0;
  mscratch = 0;
  mepc = 0;
  mcause = 0;
  mtval = 0;
  mcounteren = 0;
  readonly mcycle = new Counter();
  readonly minstret = new Counter();
  /**
   * Guest-physical address (signed) of the word that LR reserved; 1, which no aligned word has, when there is no
   * reservation.
   */
  reservation = NO_RESERVATION;
  /** In WFI. */
  waiting = false;
  exited = false;
  exitCode = 0;

  /** Guest cycles since boot: instructions, exceptions and idle time. */
  cycles = 0;
  /** Synchronous exceptions taken since boot; each took one cycle. */
  exceptions = 0;
  /** Cycles spent waiting; kept by whoever moves {@link cycles} on while the hart waits. */
  idleCycles = 0;

  /** Cause and origin of the exception that {@link Processor.run} stopped for last. Not part of the saved state. */
  exceptionCause = 0;
  exceptionPrivilege: typeof USER | typeof MACHINE = MACHINE;
  /**
   * mscratch as the last return from a trap left it: kernels on RISC-V keep there what belongs to the thread that runs.
   */
  resumedContext = 0;
  /** Whether a trap returned since boot. The first return has none before it to compare with. */
  hasResumed = false;
  /**
   * Where the last return from a trap was that left mscratch other than the one before; -1 when there was none. Only
   * returns are looked at, because many a trap handler swaps mscratch with a register while it runs. The owner resets
   * it; not part of the saved state.
   */
  contextSwitchCycle = -1;
  /**
   * The word of RAM in which the guest's kernel keeps its current task, for kernels that do not keep it in mscratch;
   * not part of the saved state, and neither is what it held when it was last looked at.
   */
  currentTask: Int32Array | undefined;
  private seenTask = 0;

  /** `x`: storage for the 32 integer registers, x0 (always 0) included. */
  constructor(
    readonly clint: Clint,
    readonly x: Int32Array = new Int32Array(32),
  ) {}

  /** Where the last store to mtimecmp was, -1 when there was none. The owner resets it; not part of the saved state. */
  get timerRearmCycle(): number {
    return this.clint.timerRearmCycle;
  }

  set timerRearmCycle(cycle: number) {
    this.clint.timerRearmCycle = cycle;
  }

  /** Instructions retired since boot. */
  get instructions(): number {
    return this.cycles - this.exceptions - this.idleCycles;
  }

  /** Pending interrupts, the mip register. */
  get mip(): number {
    return this.clint.pending(this.cycles);
  }

  /**
   * The first cycle, and not one gone by, at which an enabled interrupt is pending if nothing but time happens;
   * `Infinity` if that never happens. An interrupt that is pending and enabled in mie ends WFI, whatever mstatus says.
   */
  nextWakeCycle(): number {
    if ((this.mie & this.mip) !== 0) return this.cycles;
    return (this.mie & MIP_MTIP) !== 0 ? this.clint.timerDueCycle : Infinity;
  }

  /** A context switch, if the current task is another one than when this was last called. */
  lookAtTask(): void {
    const task = this.currentTask?.[0] ?? 0;
    if (task === this.seenTask) return;
    this.seenTask = task;
    this.contextSwitchCycle = this.cycles;
  }

  /** The current task is what it is without a switch: the guest was rolled back or restarted. */
  forgetTask(): void {
    this.seenTask = this.currentTask?.[0] ?? 0;
  }

  /** Another writer than this hart has changed memory: a reservation within these bytes is lost. */
  breakReservation(address: number, bytes: number): void {
    if (this.reservation === NO_RESERVATION) return;
    const reserved = this.reservation >>> 0;
    if (reserved + 4 > address && reserved < address + bytes) this.reservation = NO_RESERVATION;
  }

  save(to: StateWriter): void {
    for (let register = 0; register < 32; register += 1) to.u32(this.x[register] ?? 0);
    to.u32(this.pc);
    to.u32(this.mstatus);
    to.u32(this.mie);
    to.u32(this.mtvec);
    to.u32(this.mscratch);
    to.u32(this.mepc);
    to.u32(this.mcause);
    to.u32(this.mtval);
    to.u32(this.mcounteren);
    to.u32(this.reservation);
    to.u32(this.resumedContext);
    to.u8(this.privilege);
    to.u8(this.waiting ? 1 : 0);
    to.u8(this.exited ? 1 : 0);
    to.u8(this.hasResumed ? 1 : 0);
    to.u32(this.exitCode);
    to.f64(this.cycles);
    to.f64(this.exceptions);
    to.f64(this.idleCycles);
    this.mcycle.save(to);
    this.minstret.save(to);
  }

  load(from: StateReader): void {
    for (let register = 0; register < 32; register += 1) this.x[register] = from.u32();
    this.pc = from.u32() | 0;
    this.mstatus = from.u32() | 0;
    this.mie = from.u32() | 0;
    this.mtvec = from.u32() | 0;
    this.mscratch = from.u32() | 0;
    this.mepc = from.u32() | 0;
    this.mcause = from.u32() | 0;
    this.mtval = from.u32() | 0;
    this.mcounteren = from.u32() | 0;
    this.reservation = from.u32() | 0;
    this.resumedContext = from.u32() | 0;
    this.privilege = from.u8() === USER ? USER : MACHINE;
    this.waiting = from.u8() !== 0;
    this.exited = from.u8() !== 0;
    this.hasResumed = from.u8() !== 0;
    this.exitCode = from.u32();
    this.cycles = from.f64();
    this.exceptions = from.f64();
    this.idleCycles = from.f64();
    this.mcycle.load(from);
    this.minstret.load(from);
  }
}

/** {@link HartState.reservation} when LR reserved nothing. */
export const NO_RESERVATION = 1;
