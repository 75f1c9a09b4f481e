import { MTIME, UART_LINE_STATUS } from './devices.js';
import { immediate, LOAD, opcode, rd, rs1, SYSTEM } from './instruction.js';
import type { RegisterFile } from './registers.js';

/** cycle, time and instret with their upper halves, machine mode's own, and mip, which shows when a timer is due. */
const TIME_CSRS: ReadonlySet<number> = new Set([
  0xb00, 0xb02, 0xb80, 0xb82, 0xc00, 0xc01, 0xc02, 0xc80, 0xc81, 0xc82, 0x344,
]);

/**
 * What an instruction reads that is neither the guest's doing nor the hart's: the time, by which the two boards do not
 * go alike, and whether the serial line has brought a byte by then. The comparison takes it from QEMU.
 */
export type TimeInput = { readonly kind: 'time' | 'line'; readonly register: number };

/** `registers`: those before the instruction. */
export function timeInputOf(word: number, registers: RegisterFile): TimeInput | undefined {
  const register = rd(word);
  if (opcode(word) === SYSTEM && (word & 0x3000) !== 0 && TIME_CSRS.has(word >>> 20)) {
    return { kind: 'time', register };
  }
  if (opcode(word) !== LOAD) return undefined;
  const address = ((registers[rs1(word)] ?? 0) + immediate(word)) >>> 0;
  if (address >= MTIME && address < MTIME + 8) return { kind: 'time', register };
  return address === UART_LINE_STATUS ? { kind: 'line', register } : undefined;
}
