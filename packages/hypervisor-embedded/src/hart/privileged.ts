/** Privilege levels of the RISC-V privileged architecture that the hart has. */
export const USER = 0;
export const MACHINE = 3;

/** Bits of mstatus that the hart has. */
export const MSTATUS_MIE = 1 << 3;
export const MSTATUS_MPIE = 1 << 7;
export const MSTATUS_MPP = 3 << 11;
export const MSTATUS_MPRV = 1 << 17;
export const MSTATUS_TW = 1 << 21;

/** Bits of mip and mie that the hart has, named after mip. */
export const MIP_MSIP = 1 << 3;
export const MIP_MTIP = 1 << 7;
export const MIP_MEIP = 1 << 11;

/** Numbers of interrupts: what mcause holds below its top bit. */
export const INTERRUPT_MACHINE_SOFTWARE = 3;
export const INTERRUPT_MACHINE_TIMER = 7;

/** Numbers of synchronous exceptions, as in mcause. */
export const ExceptionCause = {
  INSTRUCTION_MISALIGNED: 0,
  INSTRUCTION_ACCESS_FAULT: 1,
  ILLEGAL_INSTRUCTION: 2,
  BREAKPOINT: 3,
  LOAD_MISALIGNED: 4,
  LOAD_ACCESS_FAULT: 5,
  STORE_MISALIGNED: 6,
  STORE_ACCESS_FAULT: 7,
  ECALL_FROM_USER: 8,
  ECALL_FROM_MACHINE: 11,
} as const;

export type ExceptionCause = (typeof ExceptionCause)[keyof typeof ExceptionCause];
