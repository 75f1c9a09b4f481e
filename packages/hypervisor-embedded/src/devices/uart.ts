import type { StateReader, StateWriter } from '../memory/stateStream.js';

/** First guest-physical address of the UART, and how many bytes answer. */
export const UART_BASE = 0x1000_0000;
export const UART_BYTES = 8;

/** What the UART is wired to. */
export interface UartLine {
  /** A byte leaves the guest. */
  transmit(byte: number): void;
  /** The next input byte that has arrived by this guest cycle, taken off the line; -1 if none has. */
  receive(cycle: number): number;
}

const FIFO_BYTES = 16;
/** Bytes in the FIFO from which FCR's levels 0 to 3 call it a full enough one. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** Offsets of the registers; what is behind 0 and 1 depends on LCR's DLAB, behind 2 on the direction. */
const DATA = 0;
const INTERRUPT_ENABLE = 1;
const INTERRUPT_IDENTIFICATION = 2;
const LINE_CONTROL = 3;
const MODEM_CONTROL = 4;
const LINE_STATUS = 5;
const MODEM_STATUS = 6;

const IER_RECEIVED = 0x01;
const IER_TRANSMITTED = 0x02;
const IER_LINE_STATUS = 0x04;
const IIR_NONE = 0x01;
const IIR_TRANSMITTED = 0x02;
const IIR_RECEIVED = 0x04;
const IIR_LINE_STATUS = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFO = 0xc0;
const FCR_ENABLE = 0x01;
const FCR_RESET_RECEIVER = 0x02;
const FCR_KEPT = 0xc9;
const LCR_DLAB = 0x80;
const MCR_LOOPBACK = 0x10;
const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_TRANSMITTER_EMPTY = 0x60;
const MSR_CONNECTED = 0xb0;

/**
 * A 16550A, register by register as on QEMU's `virt` board, for guests that poll it: there is no interrupt controller
 * that its line could go to. A byte is transmitted the moment it is written. Received bytes stay on the line until the
 * FIFO has room, so none is ever lost.
 */
export class Uart {
  /** Bytes that {@link save} writes. */
  static readonly BYTES = 10 + FIFO_BYTES;

  private interruptEnable = 0;
  private fifoControl = 0;
  private lineControl = 0;
  private modemControl = 0x08;
  private scratch = 0;
  private divisorLow = 0x0c;
  private divisorHigh = 0;
  /** Only in loopback: a byte found the FIFO full. */
  private overrun = false;
  private transmittedPending = false;
  private readonly fifo = new Uint8Array(FIFO_BYTES);
  private first = 0;
  private count = 0;

  constructor(private readonly line: UartLine) {}

  /** A load of one byte register; `offset` within {@link UART_BYTES}. */
  read(offset: number, cycle: number): number {
    this.receive(cycle);
    switch (offset) {
      case DATA:
        return this.dividing ? this.divisorLow : this.take();
      case INTERRUPT_ENABLE:
        return this.dividing ? this.divisorHigh : this.interruptEnable;
      case INTERRUPT_IDENTIFICATION:
        return this.identifyInterrupt();
      case LINE_CONTROL:
        return this.lineControl;
      case MODEM_CONTROL:
        return this.modemControl;
      case LINE_STATUS: {
        const status = this.count > 0 ? LSR_TRANSMITTER_EMPTY | LSR_DATA_READY : LSR_TRANSMITTER_EMPTY;
        const overrun = this.overrun ? LSR_OVERRUN : 0;
        this.overrun = false;
        return status | overrun;
      }
      case MODEM_STATUS:
        return this.looping ? loopedBack(this.modemControl) : MSR_CONNECTED;
      default:
        return this.scratch;
    }
  }

  /** A store to one byte register; only the low 8 bits of `value` count. */
  write(offset: number, value: number, cycle: number): void {
    const byte = value & 0xff;
    this.receive(cycle);
    switch (offset) {
      case DATA:
        if (this.dividing) this.divisorLow = byte;
        else this.transmit(byte);
        return;
      case INTERRUPT_ENABLE:
        if (this.dividing) {
          this.divisorHigh = byte;
        } else {
          this.interruptEnable = byte & 0x0f;
          this.transmittedPending = true;
        }
        return;
      case INTERRUPT_IDENTIFICATION:
        if (((byte ^ this.fifoControl) & FCR_ENABLE) !== 0 || (byte & FCR_RESET_RECEIVER) !== 0)
          this.count = 0;
        this.fifoControl = byte & FCR_KEPT;
        return;
      case LINE_CONTROL:
        this.lineControl = byte;
        return;
      case MODEM_CONTROL:
        this.modemControl = byte & 0x1f;
        return;
      case LINE_STATUS:
      case MODEM_STATUS:
        return;
      default:
        this.scratch = byte;
    }
  }

  save(to: StateWriter): void {
    to.u8(this.interruptEnable);
    to.u8(this.fifoControl);
    to.u8(this.lineControl);
    to.u8(this.modemControl);
    to.u8(this.scratch);
    to.u8(this.divisorLow);
    to.u8(this.divisorHigh);
    to.u8(this.overrun ? 1 : 0);
    to.u8(this.transmittedPending ? 1 : 0);
    to.u8(this.count);
    for (let index = 0; index < FIFO_BYTES; index += 1) to.u8(index < this.count ? this.at(index) : 0);
  }

  load(from: StateReader): void {
    this.interruptEnable = from.u8();
    this.fifoControl = from.u8();
    this.lineControl = from.u8();
    this.modemControl = from.u8();
    this.scratch = from.u8();
    this.divisorLow = from.u8();
    this.divisorHigh = from.u8();
    this.overrun = from.u8() !== 0;
    this.transmittedPending = from.u8() !== 0;
    this.count = from.u8();
    this.first = 0;
    for (let index = 0; index < FIFO_BYTES; index += 1) this.fifo[index] = from.u8();
  }

  private get dividing(): boolean {
    return (this.lineControl & LCR_DLAB) !== 0;
  }

  private get looping(): boolean {
    return (this.modemControl & MCR_LOOPBACK) !== 0;
  }

  private get capacity(): number {
    return (this.fifoControl & FCR_ENABLE) !== 0 ? FIFO_BYTES : 1;
  }

  /** Takes in what has arrived. That this is done only when the guest looks makes no difference to what it sees. */
  private receive(cycle: number): void {
    if (this.looping) return;
    while (this.count < this.capacity) {
      const byte = this.line.receive(cycle);
      if (byte < 0) return;
      this.put(byte);
    }
  }

  private transmit(byte: number): void {
    this.transmittedPending = true;
    if (!this.looping) this.line.transmit(byte);
    else if (this.count < this.capacity) this.put(byte);
    else this.overrun = true;
  }

  private put(byte: number): void {
    this.fifo[(this.first + this.count) % FIFO_BYTES] = byte;
    this.count += 1;
  }

  /** The oldest byte, 0 if the queue is empty. */
  private take(): number {
    if (this.count === 0) return 0;
    const byte = this.at(0);
    this.first = (this.first + 1) % FIFO_BYTES;
    this.count -= 1;
    return byte;
  }

  private at(index: number): number {
    return this.fifo[(this.first + index) % FIFO_BYTES] ?? 0;
  }

  /**
   * What IIR says. Bytes below the trigger level count as timed out at once: a guest that polls has no use for the
   * delay.
   */
  private identifyInterrupt(): number {
    const enabled = this.interruptEnable;
    const fifo = (this.fifoControl & FCR_ENABLE) !== 0 ? IIR_FIFO : 0;
    if ((enabled & IER_LINE_STATUS) !== 0 && this.overrun) return fifo | IIR_LINE_STATUS;
    if ((enabled & IER_RECEIVED) !== 0 && this.count > 0) {
      const level = fifo === 0 ? 1 : (TRIGGER_LEVELS[this.fifoControl >>> 6] ?? 1);
      return fifo | (this.count >= level ? IIR_RECEIVED : IIR_TIMEOUT);
    }
    if ((enabled & IER_TRANSMITTED) !== 0 && this.transmittedPending) {
      this.transmittedPending = false;
      return fifo | IIR_TRANSMITTED;
    }
    return fifo | IIR_NONE;
  }
}

/** MSR in loopback: the modem control outputs DTR, RTS, OUT1 and OUT2 come back as DSR, CTS, RI and DCD. */
function loopedBack(modemControl: number): number {
  return ((modemControl & 0x0c) << 4) | ((modemControl & 0x02) << 3) | ((modemControl & 0x01) << 5);
}
