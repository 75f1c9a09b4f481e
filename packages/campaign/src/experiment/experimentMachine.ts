import type { Domain, Nanoseconds } from '@rmk/core';
import type { Hardware } from './hardware.js';
import type { ComparableMachine } from '../guestState.js';

/** The state of a VM at an instruction, independent of the VM. */
export interface Snapshot {
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  readonly exitCode: number | undefined;
}

/** Where a VM differs from a snapshot. */
export interface Difference {
  readonly frames: readonly number[];
  readonly registers: readonly string[];
  readonly other: boolean;
}

/** What an experiment needs of a VM besides the port. The embedded driver's machines have it. */
export interface ExperimentMachine<S extends Snapshot> extends ComparableMachine {
  readonly wireOutput: Uint8Array;
  /** Pages that exist count; `previous` is shared where nothing changed. */
  snapshot(previous?: S): S;
  equals(snapshot: S): boolean;
  differenceFrom(snapshot: S): Difference;
  /** Continues from a snapshot of the same guest; domain time begins at 0. Not while the VM is protected. */
  load(snapshot: S): void;
  firstUseOf(register: string, instructions: number): 'read' | 'overwritten' | 'unused';
  /** Proves that nothing but RMK can end the loop or halt that the guest is in. */
  loopsForever(): boolean;
  flipMemoryBit(address: number, bit: number): void;
  /** Runs to where the instruction at `address` is next. False if it is not, through `instructions`. */
  runTo(address: number, instructions: number): boolean;
  readonly hardware: Hardware;
}

/** A new VM of the guest, alone on a hypervisor. */
export interface Lone<S extends Snapshot> {
  readonly machine: ExperimentMachine<S>;
  run(options: { readonly untilNs: Nanoseconds }): Promise<void>;
  close(): Promise<void>;
}

/** The guest of a campaign, the hypervisor that it runs on, and its protection. */
export interface GuestUnderTest<S extends Snapshot = Snapshot> {
  readonly name: string;
  /** Guest-physical address of the first byte of RAM. */
  readonly ramBase: number;
  /** Nanoseconds of guest time between two instructions. */
  readonly cycleNs: Nanoseconds;
  /** Booted, or continued from a snapshot. A VM that was closed may be used again for the latter. */
  start(from?: S): Lone<S>;
  /** Page frames that exist in a snapshot. */
  framesOf(snapshot: S): readonly number[];
  /** Address of a symbol of the guest's ELF, or undefined. */
  symbol(name: string): bigint | undefined;
  /** The symbol at or before an address, such as `'main+0x1c'`. Undefined before the first symbol. */
  symbolAt(address: number): string | undefined;
  /** Starts the domain with the detectors, checkpoints and recovery under test. */
  protect(machine: ExperimentMachine<S>, observe: (bus: Domain['bus']) => void): Promise<Domain>;
}
