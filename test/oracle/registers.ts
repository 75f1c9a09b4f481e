/** What is compared after each instruction: x0 to x31, then pc. */
export const PC = 32;
export const REGISTERS = 33;

/** Registers as unsigned 32-bit numbers. */
export type RegisterFile = Uint32Array;

export function registerName(index: number): string {
  return index === PC ? 'pc' : `x${index}`;
}

/** What is compared besides wherever one of them can have changed. */
export const CONTROL_REGISTERS = [
  'priv',
  'mstatus',
  'mie',
  'mtvec',
  'mscratch',
  'mepc',
  'mcause',
  'mtval',
  'mcounteren',
] as const;

export type ControlRegister = (typeof CONTROL_REGISTERS)[number];
export type ControlFile = Readonly<Record<ControlRegister, number>>;

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

/**
 * A target's 32-bit number, least significant byte first: read for 33 registers after every instruction, so by hand.
 */
export function wordAt(hexadecimal: string, offset = 0): number {
  const digits = hexadecimal.slice(offset, offset + 8);
  const value = Number.parseInt(digits, 16);
  if (digits.length !== 8 || Number.isNaN(value)) {
    throw new Error(`not a 32-bit register from the gdb stub: ${JSON.stringify(hexadecimal)}`);
  }
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
