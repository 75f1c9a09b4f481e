import type { Nanoseconds } from '@rmk/core';
import type { MachineSnapshot } from '../snapshot/machineSnapshot.js';

/** What a debugger needs of a VM. The embedded driver's machines have it. */
export interface DebuggedMachine {
  readonly memoryPages: number;
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  /** Undefined until the guest switches itself off. */
  readonly exitCode: number | undefined;
  /** What the guest has put out. */
  readonly committedOutput: Uint8Array;
  readRegister(name: string): Promise<bigint>;
  writeRegister(name: string, value: bigint): Promise<void>;
  read(address: number, bytes: number): Promise<Uint8Array>;
  write(address: number, data: Uint8Array): Promise<void>;
  snapshot(previous?: MachineSnapshot): MachineSnapshot;
  load(snapshot: MachineSnapshot): void;
}
