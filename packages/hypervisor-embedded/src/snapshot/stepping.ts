import type { Board } from '../board.js';
import type { Execution } from '../execution.js';
import {
  instructionUse,
  interruptIsDue,
  interruptsAreOff,
  nextInstruction,
  trapUse,
  type RegisterUse,
} from '../hart/registerUse.js';
import { MACHINE } from '../hart/privileged.js';
import { dueInterruptHandler } from '../hart/trap.js';
import { withoutCounters } from './savedRegisters.js';

/** What first happened to a register. `'unused'`: neither, as far as was looked. */
export type FirstUse = 'read' | 'overwritten' | 'unused';

/** Executes a guest instruction by instruction and looks at what each one does. */
export class Stepping {
  constructor(
    private readonly board: Board,
    private readonly execution: Execution,
  ) {}

  /** Runs until an instruction or trap reads `register` or replaces all of it, through at most `instructions`. */
  firstUseOf(register: string, instructions: number): FirstUse {
    const { state } = this.board;
    for (let step = 0; step < instructions; step++) {
      if (!this.wake()) return 'unused';
      const trap = interruptIsDue(state) ? trapUse(register) : undefined;
      const use = trap === undefined || isNone(trap) ? this.nextUse(register, trap !== undefined) : trap;
      if (use.reads) return 'read';
      const { exceptions } = state;
      if (!this.step()) return 'unused';
      if (state.exceptions === exceptions) {
        if (use.overwrites) return 'overwritten';
      } else {
        const exception = trapUse(register);
        if (exception.reads) return 'read';
        if (exception.overwrites || (trap?.overwrites ?? false)) return 'overwritten';
      }
    }
    return 'unused';
  }

  /** Runs to where the instruction at `address` is next, through at most `instructions`. */
  runTo(address: number, instructions: number): boolean {
    const { state } = this.board;
    for (let step = 0; step <= instructions; step++) {
      if (!this.wake()) return false;
      // An interrupt is taken together with the first instruction of its handler.
      const next = interruptIsDue(state) ? dueInterruptHandler(state) : state.pc;
      if (next >>> 0 === address) return true;
      if (!this.step()) return false;
    }
    return false;
  }

  /**
   * Whether the guest certainly stays in the loop or halt that it is in: no interrupt can reach it, and it comes back
   * to the same state without having written anything or looked at time or devices. Runs it through at most
   * `instructions`.
   */
  loopsForever(instructions: number): boolean {
    const { board } = this;
    const { state } = board;
    let seen = withoutCounters(board.save());
    for (let step = 1; step <= instructions; step++) {
      if (state.exited) return false;
      if (state.waiting && (state.mie & state.mip) === 0) return state.nextWakeCycle() === Infinity;
      if (!interruptsAreOff(state) || !this.nextIsSelfContained() || !this.step()) return false;
      const now = withoutCounters(board.save());
      if (Buffer.compare(now, seen) === 0) return true;
      // Brent: a reference that moves on in ever larger steps is within the loop at last.
      if ((step & (step - 1)) === 0) seen = now;
    }
    return false;
  }

  private nextUse(register: string, interrupted: boolean): RegisterUse {
    const { state, memory } = this.board;
    const word = interrupted
      ? nextInstruction({ pc: dueInterruptHandler(state) }, memory)
      : nextInstruction(state, memory);
    return word === undefined
      ? NOTHING
      : instructionUse(word, register, interrupted ? { privilege: MACHINE } : state);
  }

  /** Changes no memory, asks no device, does not look at time, and lets no interrupt in. */
  private nextIsSelfContained(): boolean {
    const { state, memory } = this.board;
    const word = nextInstruction(state, memory);
    if (word === undefined) return true;
    const base = state.x[(word >>> 15) & 31] ?? 0;
    switch (word & 0x7f) {
      case 0x2f:
        return false;
      case 0x73:
        return word === ECALL || word === EBREAK || word === WFI;
      case 0x03:
        return !mayBeDevice((base + (word >> 20)) >>> 0);
      case 0x23: {
        const address = (base + (((word >> 25) << 5) | ((word >>> 7) & 31))) >>> 0;
        const bytes = 1 << ((word >>> 12) & 3);
        return !mayBeDevice(address) && this.holds(address, state.x[(word >>> 20) & 31] ?? 0, bytes);
      }
      default:
        return true;
    }
  }

  /** Whether a store of these bytes leaves memory as it is, or is refused since there is no memory at all. */
  private holds(address: number, value: number, bytes: number): boolean {
    const { u8, base, bytes: ramBytes } = this.board.memory;
    const offset = address - base;
    if (offset < 0 || offset >= ramBytes) return offset < -bytes || offset >= ramBytes;
    for (let index = 0; index < bytes; index++)
      if (u8[offset + index] !== ((value >>> (8 * index)) & 0xff)) return false;
    return true;
  }

  /** Lets the time pass for which the guest waits. False if nothing can wake it. */
  private wake(): boolean {
    const { state } = this.board;
    while (state.waiting && (state.mie & state.mip) === 0) {
      const wake = state.nextWakeCycle();
      if (wake === Infinity) return false;
      const { cycles } = state;
      this.execution.runQuantum(this.execution.domainCycles + wake - cycles);
      if (state.cycles === cycles && !this.step()) return false;
    }
    return !state.exited;
  }

  /** One instruction or exception. False if the guest may not run. */
  private step(): boolean {
    const { execution } = this;
    const { state } = this.board;
    const { cycles } = state;
    for (;;) {
      const end = execution.runQuantum(execution.domainCycles + 1);
      if (state.cycles !== cycles) return true;
      if (end !== 'quantum') return state.exited;
    }
  }
}

const NOTHING: RegisterUse = { reads: false, overwrites: false };
/** Where the board's devices are; what lies below and between them counts too. */
const DEVICES_END = 0x2000_0000;
const ECALL = 0x0000_0073;
const EBREAK = 0x0010_0073;
const WFI = 0x1050_0073;

function mayBeDevice(address: number): boolean {
  return address >= 0x1000 && address < DEVICES_END;
}

function isNone({ reads, overwrites }: RegisterUse): boolean {
  return !reads && !overwrites;
}
