import type { Board } from '../board.js';
import { interruptIsDue } from '../hart/registerUse.js';
import { firstInterrupt, takeInterrupt } from '../hart/trap.js';
import { nextAccess } from './memoryAccess.js';
import type { StopPoints, Watchpoint } from './stopPoints.js';

/** Where a breakpoint or watchpoint was met. */
export interface Hit {
  /** Guest cycle. For a watchpoint that of the instruction that makes the access, before it is executed. */
  readonly cycle: number;
  /** Undefined for a breakpoint. */
  readonly watchpoint: Watchpoint | undefined;
}

/**
 * A hart that stops between any two instructions, outside of domain time. Where it stops depends on nothing but the
 * guest: an interrupt that is due has been taken, and a wait is either not begun or over. So there is one state for
 * each guest cycle at which it can stop.
 */
export interface DebuggedHart {
  readonly cycle: number;
  readonly instructions: number;
  /** The first cycle after this one at which the hart can stop; `Infinity` for a guest that has ended. */
  readonly nextCycle: number;
  /** Whether the next instruction is at a breakpoint. */
  isAtBreakpoint(stops: StopPoints): boolean;
  /** Takes the interrupt that is due before the next instruction. It costs no cycle. */
  settle(): void;
  /** Lets time pass for a hart that waits, up to a cycle before its wait ends. */
  waitUntil(cycle: number): void;
  /** Goes on at full speed to the last cycle up to `target` at which the hart can stop. */
  runTo(target: number): void;
  /** Goes on as {@link runTo}, but stops at the first breakpoint, and after the first access that is watched. */
  runToHit(target: number, stops: StopPoints): Hit | undefined;
  /** Goes on as {@link runTo}. Gives the last hit from this cycle on and before `target`. */
  runToLastHit(target: number, stops: StopPoints): Hit | undefined;
}

/** Executes one instruction after the other where each is to be looked at, and runs at full speed elsewhere. */
export class SteppedHart implements DebuggedHart {
  constructor(private readonly board: Board) {}

  get cycle(): number {
    return this.board.state.cycles;
  }

  get instructions(): number {
    return this.board.state.instructions;
  }

  get nextCycle(): number {
    const { state } = this.board;
    if (state.exited) return Infinity;
    return this.isAsleep ? state.nextWakeCycle() : state.cycles + 1;
  }

  isAtBreakpoint(stops: StopPoints): boolean {
    return stops.breaksAt(this.board.state.pc) && !this.isAsleep;
  }

  settle(): void {
    const { state } = this.board;
    if (state.exited || !interruptIsDue(state)) return;
    state.waiting = false;
    takeInterrupt(state, firstInterrupt(state.mie & state.mip));
  }

  runTo(target: number): void {
    const { state, processor } = this.board;
    this.settle();
    while (state.cycles < target && this.nextCycle <= target) {
      if (this.isAsleep) this.wake();
      else processor.run(target);
      this.settle();
    }
    this.dropReports();
  }

  waitUntil(cycle: number): void {
    const { state } = this.board;
    if (!this.isAsleep || cycle <= state.cycles || cycle > state.nextWakeCycle()) return;
    state.idleCycles += cycle - state.cycles;
    state.cycles = cycle;
  }

  runToHit(target: number, stops: StopPoints): Hit | undefined {
    let hit: Hit | undefined;
    this.settle();
    while (hit === undefined && this.cycle < target && this.nextCycle <= target) {
      hit = this.step(stops) ?? this.breakpointHere(stops);
    }
    this.dropReports();
    return hit;
  }

  runToLastHit(target: number, stops: StopPoints): Hit | undefined {
    this.settle();
    let last = this.cycle < target ? this.breakpointHere(stops) : undefined;
    while (this.cycle < target && this.nextCycle <= target) {
      last = this.step(stops) ?? last;
      if (this.cycle < target) last = this.breakpointHere(stops) ?? last;
    }
    this.dropReports();
    return last;
  }

  /** In WFI, and no enabled interrupt is pending. */
  private get isAsleep(): boolean {
    const { state } = this.board;
    return state.waiting && (state.mie & state.mip) === 0;
  }

  /** One instruction, exception or wait. The watchpoint that it met. */
  private step(stops: StopPoints): Hit | undefined {
    const { state, memory, interpreter } = this.board;
    if (this.isAsleep) {
      this.wake();
      this.settle();
      return undefined;
    }
    const access = stops.watches ? nextAccess(state, memory) : undefined;
    const watchpoint = access === undefined ? undefined : stops.metBy(access);
    const { cycles, exceptions } = state;
    state.waiting = false;
    interpreter.execute(1);
    const isMade = watchpoint !== undefined && state.exceptions === exceptions;
    this.settle();
    return isMade ? { cycle: cycles, watchpoint } : undefined;
  }

  private breakpointHere(stops: StopPoints): Hit | undefined {
    return this.isAtBreakpoint(stops) ? { cycle: this.cycle, watchpoint: undefined } : undefined;
  }

  private wake(): void {
    const { state } = this.board;
    const wake = state.nextWakeCycle();
    state.idleCycles += wake - state.cycles;
    state.cycles = wake;
  }

  /** Nobody observes the facts of this VM: signs and output since the last report would only pile up. */
  private dropReports(): void {
    const { board } = this;
    if (board.transcript.hasUnreported) board.transcript.takeUnreported();
    board.forgetProgress();
  }
}
