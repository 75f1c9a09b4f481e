/** Registers of the board's devices that a comparison looks at, after QEMU's `virt` board. */
export const MSIP = 0x0200_0000;
export const MTIMECMP = 0x0200_4000;
export const MTIME = 0x0200_bff8;
export const UART_INTERRUPT_ENABLE = 0x1000_0001;
/** Read: IIR, whose top bits show whether the FIFO is on. Written: FCR. */
export const UART_FIFO = 0x1000_0002;
export const UART_LINE_CONTROL = 0x1000_0003;
export const UART_MODEM_CONTROL = 0x1000_0004;
export const UART_LINE_STATUS = 0x1000_0005;
export const UART_SCRATCH = 0x1000_0007;

export const LINE_DATA_READY = 0x01;
export const DIVISOR_LATCH = 0x80;
export const FIFO_ENABLE = 0x01;
export const FIFO_RESET = 0x02;

/** A store into a register of a device. */
export interface DeviceStore {
  readonly address: number;
  readonly width: 1 | 4;
  readonly value: number;
}
