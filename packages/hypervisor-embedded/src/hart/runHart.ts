import type { HartState } from './hartState.js';
import { MSTATUS_MIE, USER } from './privileged.js';
import { Stop } from './processor.js';
import { firstInterrupt, takeInterrupt } from './trap.js';

/** Most instructions in one go; keeps the count a small integer. */
const MAX_BUDGET = 1 << 29;

/** Executes instructions between which no interrupt becomes deliverable. */
export interface Executor {
  /**
   * Executes `budget` instructions, or fewer where one may change what interrupts are deliverable, makes the hart wait
   * or exit, or raises an exception. Takes the exception; gives whether there was one.
   */
  execute(budget: number): boolean;
}

/** Runs a hart until `untilCycle`, or until there is something to report: takes interrupts when they are due. */
export function runHart(state: HartState, untilCycle: number, executor: Executor): Stop {
  for (;;) {
    if (state.exited) return Stop.EXITED;
    const pending = state.mie & state.mip;
    if (state.waiting && pending === 0) return Stop.WAITING;
    if (!(state.cycles < untilCycle)) return Stop.LIMIT;
    state.waiting = false;
    if (pending !== 0 && (state.privilege === USER || (state.mstatus & MSTATUS_MIE) !== 0)) {
      takeInterrupt(state, firstInterrupt(pending));
    }
    // Between instructions that may change it, only the timer can make another interrupt deliverable.
    const due = state.clint.timerDueCycle;
    const end = due > state.cycles && due < untilCycle ? due : untilCycle;
    const budget = Math.min(Math.ceil(end - state.cycles), MAX_BUDGET);
    if (executor.execute(budget)) return Stop.EXCEPTION;
  }
}
