import { RmkError } from '@rmk/core';
import type { InputState } from '../devices/inputLog.js';
import type { TranscriptState } from '../devices/transcript.js';
import type { MemoryPages } from './memoryPages.js';
import { registerDifferences } from './savedRegisters.js';

/**
 * The whole state of a VM at an instruction: memory, context, output and received input. Independent of the VM that it
 * was taken of. Snapshots taken one after the other share the pages that did not change in between.
 */
export class MachineSnapshot {
  /** Guest time at which it was taken. */
  readonly guestNs: number;
  readonly instructions: number;
  readonly exitCode: number | undefined;

  /** @internal */
  constructor(
    /** @internal Identifies the guest: its state at power-on and its program. */
    readonly guest: string,
    /** @internal */
    readonly pages: MemoryPages,
    /** @internal */
    readonly context: Uint8Array,
    /** @internal */
    readonly transcript: TranscriptState,
    /** @internal */
    readonly input: InputState,
    at: { readonly guestNs: number; readonly instructions: number; readonly exitCode: number | undefined },
  ) {
    this.guestNs = at.guestNs;
    this.instructions = at.instructions;
    this.exitCode = at.exitCode;
  }

  /** Page frames that exist, ascending. */
  get frames(): readonly number[] {
    return this.pages.flatMap((page, frame) => (page === undefined ? [] : [frame]));
  }

  get committedOutput(): Uint8Array {
    return this.transcript.committed.bytes.slice();
  }
}

/** Where the state of a VM differs from a snapshot. */
export interface StateDifference {
  /** Page frames whose content differs, ascending; with `firstOnly` at most one. */
  readonly frames: readonly number[];
  /** Names of the registers that differ, as `readRegister` takes them. */
  readonly registers: readonly string[];
  /** Whether anything else differs: devices, guest time, position of input and output. */
  readonly other: boolean;
}

export function contextDifference(mine: Uint8Array, theirs: Uint8Array): Omit<StateDifference, 'frames'> {
  return registerDifferences(mine, theirs);
}

export function foreignSnapshotError(name: string): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `the snapshot is not of a VM like ${JSON.stringify(name)}; take it of one with the same program, boot data and memory`,
  );
}

export function protectedMachineError(name: string): RmkError {
  return new RmkError(
    'RMK_ERR_STATE',
    `VM ${JSON.stringify(name)} is protected. Stop its domain, or release its page logs and timers, before a snapshot is loaded`,
  );
}
