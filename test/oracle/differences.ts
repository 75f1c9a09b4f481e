import { AMO, opcode } from './instruction.js';
import type { ControlFile, ControlRegister } from './registers.js';

/**
 * Where QEMU's board and the embedded one differ by design. All of it is here: whatever else differs fails a test.
 * Times are no differences but inputs; those are in `timeInputs.ts`.
 */

/**
 * QEMU's reset vector runs before the guest and leaves these: t0 the entry, a0 the hart, a1 the device tree, a2 what
 * firmware wants.
 */
export const RESET_VECTOR_REGISTERS: ReadonlySet<number> = new Set([5, 10, 11, 12]);

/** How QEMU's device tree begins, which it lays into the guest's RAM; the embedded board has none. Big-endian. */
export const DEVICE_TREE_MAGIC = 0xd00d_feed;

/** QEMU's hart can do more. These are the bits that both have; a guest that uses others is no guest for this board. */
export const COMPARED_BITS: Readonly<Partial<Record<ControlRegister, number>>> = {
  // MIE, MPIE, MPP, MPRV, TW; not FS, and not those of supervisor mode.
  mstatus: 0x0022_1888,
  // Software, timer and external interrupts of machine mode.
  mie: 0x888,
  // cycle, time, instret; no further counters.
  mcounteren: 0b111,
};

/** A control register in which the two may differ after an exception; the comparison goes on with QEMU's value. */
export interface TrapDifference {
  readonly why: string;
  readonly register: ControlRegister;
  /** `word`: the instruction that raised the exception. */
  readonly applies: (word: number, ours: ControlFile, theirs: ControlFile) => boolean;
}

const BREAKPOINT = 3;
/** Misaligned, access fault. */
const STORE_EXCEPTIONS: ReadonlySet<number> = new Set([6, 7]);
const STORE_TO_LOAD = 2;

export const TRAP_DIFFERENCES: readonly TrapDifference[] = [
  {
    why: 'after EBREAK the specification allows mtval to hold its address, as here, or zero, as in QEMU 7.2',
    register: 'mtval',
    applies: (_, ours, theirs) => ours.mcause === BREAKPOINT && theirs.mtval === 0,
  },
  {
    why: 'an AMO that is misaligned or goes nowhere is a store/AMO exception; QEMU 7.2 calls it the load’s',
    register: 'mcause',
    applies: (word, ours, theirs) =>
      opcode(word) === AMO &&
      STORE_EXCEPTIONS.has(ours.mcause) &&
      theirs.mcause === ours.mcause - STORE_TO_LOAD,
  },
];

/** An operating system passes on one byte of an exit code. */
export const EXIT_CODE_BITS = 0xff;
