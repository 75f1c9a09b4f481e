import type { StateReader, StateWriter } from './stateStream.js';

/** First guest-physical address of the UART, and how many bytes answer. */
export const UART_BASE = 0x1000_0000;
export const UART_BYTES = 8;

/** What the UART is wired to. */
export interface UartLine {
  /** A byte leaves the guest. */
  transmit(byte: number): void;
  /** The next input byte that has arrived by this guest cycle, taken off the line; -1 when there is none. */
  receive(cycle: number): number;
}

export class Uart {
  static readonly BYTES = 9 + 1 + 1 + 16;

  constructor(private readonly line: UartLine) {}

  /** A load of one byte register. */
  read(_offset: number, cycle: number): number {
    return this.line.receive(cycle);
  }

  /** A store to one byte register. */
  write(_offset: number, value: number, _cycle: number): void {
    this.line.transmit(value);
  }

  save(_to: StateWriter): void {}

  load(_from: StateReader): void {}
}
