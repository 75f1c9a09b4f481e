import type { DeviceStore } from './devices.js';
import type { ControlFile, ControlRegister, RegisterFile } from './registers.js';

/** What a comparison needs of the hart that it checks. */
export interface ComparedHart {
  readonly ram: Uint8Array;
  /** A copy. */
  readonly registers: RegisterFile;
  readonly control: ControlFile;
  /** Absent while it is on. */
  readonly exitCode: number | undefined;
  /** In WFI. */
  readonly waiting: boolean;
  /** Whether the guest has sent itself a software interrupt. */
  readonly softwareInterrupt: boolean;
  /** Whether the UART has a byte for the guest. */
  readonly hasReceived: boolean;
  /** The instruction at an address, 16 bits where it is compressed; 0 outside RAM. */
  wordAt(address: number): number;
  /** Executes one instruction, or takes one exception. An interrupt that is pending and enabled is taken before it. */
  step(): void;
  setRegister(index: number, value: number): void;
  setControl(name: ControlRegister, value: number): void;
  /**
   * Takes all registers and the devices' state over; the timer is not due. Memory is taken over through {@link ram}.
   */
  adopt(registers: RegisterFile, control: ControlFile, devices: readonly DeviceStore[]): void;
  /** Time is stopped for a compared hart: whether it stopped where the timer is due. */
  setTimerDue(due: boolean): void;
  /** Puts a byte on the serial line. */
  receive(byte: number): void;
}
