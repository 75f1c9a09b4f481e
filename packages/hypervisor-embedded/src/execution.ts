import type { Nanoseconds, ProgressSign } from '@rmk/core';
import { FactEmitter } from '@rmk/driver';
import type { Board } from './board.js';
import { DomainClock } from './domainClock.js';
import { EXIT_FAILURE, exceptionName } from './hart/exceptionNames.js';
import type { Timing } from './machineOptions.js';
import { MACHINE, type ExceptionCause } from './hart/privileged.js';
import { Stop } from './hart/processor.js';
import { takeException } from './hart/trap.js';
import type { HardwareFaults } from './hardware/hardwareFaults.js';

/** The device name of the board's UART. */
export const UART = 'uart';

/** `'quantum'`: ran its whole slice. `'held'`: a handler must finish first. `'stopped'`: must not run now. */
export type QuantumEnd = 'quantum' | 'held' | 'stopped';

/**
 * Runs the guest of a board in domain time: stops the processor at the exact instruction at which a timer is due, and
 * emits the facts. Domain time is the guest's cycles plus all cycles that rollbacks and restarts turned back.
 */
export class Execution {
  readonly clock: DomainClock;
  readonly facts = new FactEmitter();
  suspended = false;
  closed = false;
  holdWhile: () => Promise<void> | undefined = () => undefined;

  private turnedBackCycles = 0;
  private timesTurnedBack = 0;
  private exitTold = false;
  private quantumEndCycle: number;
  private sinceScheduled = { cpu: 0, idle: 0, halted: 0 };
  /** Executed by the guest when the stretch began. */
  private instructionsBefore = 0;

  constructor(
    private readonly board: Board,
    private readonly timing: Timing,
    private readonly hardware: HardwareFaults,
  ) {
    this.clock = new DomainClock(timing.nsPerCycle, () => this.domainCycles);
    this.quantumEndCycle = timing.sliceCycles;
  }

  get domainCycles(): number {
    return this.board.state.cycles + this.turnedBackCycles;
  }

  get guestNs(): Nanoseconds {
    return this.board.state.cycles * this.timing.nsPerCycle;
  }

  /** Whether it would do anything if it were its turn. */
  get isRunnable(): boolean {
    return !this.closed && !this.suspended && !this.board.state.exited && !this.isDead;
  }

  /** Runs until its slice or `untilCycle` (of domain time) is over, or something stands in the way. */
  runQuantum(untilCycle: number): QuantumEnd {
    const { state } = this.board;
    for (;;) {
      if (this.holdWhile() !== undefined) return 'held';
      if (!this.isRunnable) return 'stopped';
      if (this.domainCycles >= this.quantumEndCycle) {
        this.endQuantum();
        return 'quantum';
      }
      if (this.domainCycles >= untilCycle) return 'quantum';
      if (this.clock.fireDue()) continue;
      const target = Math.min(this.quantumEndCycle, untilCycle, this.clock.nextCycle) - this.turnedBackCycles;
      const before = state.cycles;
      const { timesTurnedBack } = this;
      const stop = this.runProcessor(target);
      this.sinceScheduled.cpu += state.cycles - before;
      this.emitPageFaults();
      this.emitOutput();
      // An observer may have rolled the guest back. Then `stop` no longer describes where the guest is.
      if (timesTurnedBack !== this.timesTurnedBack) continue;
      if (stop === Stop.EXCEPTION) this.emitException();
      else if (stop === Stop.WAITING && !this.isDead) this.idle(target);
      else if (stop === Stop.EXITED) this.emitExit();
    }
  }

  /** On hardware with stuck bits one instruction at a time, so that none sees such a bit with its other value. */
  private runProcessor(target: number): Stop {
    const { processor, state } = this.board;
    const { hardware } = this;
    if (!hardware.isSticking) return processor.run(target);
    for (;;) {
      hardware.force();
      const stop = processor.run(Math.min(target, state.cycles + 1));
      hardware.force();
      if (stop !== Stop.LIMIT || state.cycles >= target) return stop;
    }
  }

  /** The guest's cycles were set from `before` to what they are now: domain time does not notice. */
  turnedBackFrom(before: number): void {
    this.turnedBackCycles += before - this.board.state.cycles;
    this.timesTurnedBack++;
    this.exitTold = this.board.state.exited;
    this.board.state.forgetTask();
    this.beginQuantum();
  }

  /** The guest's cycles were set from outside to where a snapshot was taken: domain time begins at 0 there. */
  beginHere(): void {
    this.suspended = false;
    this.holdWhile = () => undefined;
    this.turnedBackCycles = -this.board.state.cycles;
    this.exitTold = this.board.state.exited;
    this.board.state.forgetTask();
    this.beginQuantum();
  }

  /** Raises an exception as if the hardware had: it takes a cycle. */
  raise(cause: ExceptionCause): void {
    const { state } = this.board;
    const before = state.cycles;
    takeException(state, cause, 0);
    this.sinceScheduled.cpu += state.cycles - before;
    this.emitException();
  }

  private emitException(): void {
    if (!this.facts.isObserved('signal')) return;
    const { exceptionCause, exceptionPrivilege } = this.board.state;
    const privilege = exceptionPrivilege === MACHINE ? 'machine' : 'user';
    this.facts.emit('signal', { atNs: this.clock.now(), cause: exceptionName(exceptionCause), privilege });
  }

  /** What happened to pages since the last time. */
  emitPageFaults(): void {
    const { memory } = this.board;
    if (memory.hasFaulted) {
      const frames = memory.takeFaulted();
      this.facts.emit('pagefault', { atNs: this.clock.now(), frames });
    }
    const reason = memory.takeLostReason();
    if (reason !== undefined) this.facts.emit('loglost', { atNs: this.clock.now(), reason });
  }

  /** Waiting for nothing that could come, with no timer of ours that could do something about it. */
  private get isDead(): boolean {
    return (
      this.board.state.waiting &&
      this.board.state.nextWakeCycle() === Infinity &&
      this.clock.nextCycle === Infinity
    );
  }

  /** A waiting guest's time jumps to its next interrupt, or to `target` where that comes before. */
  private idle(target: number): void {
    const { state } = this.board;
    const wake = state.nextWakeCycle();
    const until = Math.min(wake, target);
    const cycles = Math.max(0, until - state.cycles);
    if (wake === Infinity) this.sinceScheduled.halted += cycles;
    else this.sinceScheduled.idle += cycles;
    state.idleCycles += cycles;
    state.cycles += cycles;
  }

  /** Called after a rollback too: what it undid says nothing about the guest that now runs. */
  private beginQuantum(): void {
    this.quantumEndCycle = this.domainCycles + this.timing.sliceCycles;
    this.sinceScheduled = { cpu: 0, idle: 0, halted: 0 };
    this.instructionsBefore = this.board.state.instructions;
    // Signs that nobody observed are dropped: a later observer would not know the time that passed since.
    this.board.forgetProgress();
  }

  private endQuantum(): void {
    if (this.facts.isObserved('scheduled')) {
      const { cpu, idle, halted } = this.sinceScheduled;
      const { nsPerCycle } = this.timing;
      this.facts.emit('scheduled', {
        atNs: this.clock.now(),
        cpuNs: cpu * nsPerCycle,
        idleNs: idle * nsPerCycle,
        haltedNs: halted * nsPerCycle,
        instructions: this.board.state.instructions - this.instructionsBefore,
        state: this.presentState(),
        progress: this.progress(),
      });
    }
    this.beginQuantum();
  }

  private presentState(): 'ran' | 'idle' | 'halted' {
    const { state } = this.board;
    if (!state.waiting) return 'ran';
    return state.nextWakeCycle() === Infinity ? 'halted' : 'idle';
  }

  private progress(): readonly ProgressSign[] {
    // A kernel may switch without a trap: then it is seen here.
    this.board.state.lookAtTask();
    const { contextSwitchCycle, timerRearmCycle } = this.board.state;
    const signs = [
      { sign: 'context-switch', cycle: contextSwitchCycle },
      { sign: 'timer-rearmed', cycle: timerRearmCycle },
    ];
    return signs
      .filter(({ cycle }) => cycle >= 0)
      .map(({ sign, cycle }) => ({ sign, atNs: (cycle + this.turnedBackCycles) * this.timing.nsPerCycle }));
  }

  private emitOutput(): void {
    const { transcript, memory } = this.board;
    if (!transcript.hasUnreported) return;
    const data = transcript.takeUnreported();
    if (!this.facts.isObserved('output')) return;
    this.facts.emit('output', {
      atNs: this.clock.now(),
      device: UART,
      data,
      position: transcript.position - data.length,
      guestNs: this.guestNs,
      epoch: memory.openEpoch,
    });
  }

  /** A guest that gives itself up sends a last signal first: whether that is an error is the pin's to say. */
  private emitExit(): void {
    if (this.exitTold) return;
    this.exitTold = true;
    const { exitCode } = this.board.state;
    if (exitCode !== 0) {
      this.facts.emit('signal', { atNs: this.clock.now(), cause: EXIT_FAILURE, privilege: 'machine' });
    }
    this.facts.emit('exited', { atNs: this.clock.now(), code: exitCode });
  }
}
