import { CLINT_BASE, CLINT_BYTES, type Clint } from './clint.js';
import { FINISHER_BASE, FINISHER_BYTES, type Finisher } from './finisher.js';
import { UART_BASE, UART_BYTES, type Uart } from './uart.js';

/** What {@link DeviceBus.load} gives where nothing answers. */
export const ACCESS_FAULT = -1;

/**
 * All guest-physical addresses outside RAM. As on QEMU's `virt` board, the CLINT takes words, the finisher words and
 * halfwords, and the UART any width, of which it sees the register addressed. Nothing takes a misaligned access.
 */
export class DeviceBus {
  constructor(
    readonly clint: Clint,
    readonly uart: Uart,
    readonly finisher: Finisher,
  ) {}

  /** `address`: unsigned. `width`: 1, 2 or 4 bytes. Unsigned, or {@link ACCESS_FAULT}. */
  load(address: number, width: number, cycles: number): number {
    if ((address & (width - 1)) !== 0) return ACCESS_FAULT;
    if (address >= UART_BASE && address < UART_BASE + UART_BYTES) {
      return this.uart.read(address - UART_BASE, cycles);
    }
    if (address >= CLINT_BASE && address < CLINT_BASE + CLINT_BYTES) {
      return width === 4 ? this.clint.read(address - CLINT_BASE, cycles) : ACCESS_FAULT;
    }
    if (address >= FINISHER_BASE && address < FINISHER_BASE + FINISHER_BYTES) {
      return width === 1 ? ACCESS_FAULT : 0;
    }
    return ACCESS_FAULT;
  }

  /** Whether a device took the store. */
  store(address: number, width: number, value: number, cycles: number): boolean {
    if ((address & (width - 1)) !== 0) return false;
    if (address >= UART_BASE && address < UART_BASE + UART_BYTES) {
      this.uart.write(address - UART_BASE, value, cycles);
      return true;
    }
    if (address >= CLINT_BASE && address < CLINT_BASE + CLINT_BYTES) {
      if (width !== 4) return false;
      this.clint.write(address - CLINT_BASE, value, cycles);
      return true;
    }
    if (address >= FINISHER_BASE && address < FINISHER_BASE + FINISHER_BYTES) {
      if (width === 1) return false;
      this.finisher.write(address - FINISHER_BASE, width === 2 ? value & 0xffff : value);
      return true;
    }
    return false;
  }
}
