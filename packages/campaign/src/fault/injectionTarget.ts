import type { Duration, Nanoseconds } from '@rmk/core';
import type { ExperimentMachine, Snapshot } from '../experiment/experimentMachine.js';
import type { FaultTarget } from '../faultTarget.js';

/** What a fault can be drawn from. */
export interface FaultSpace {
  readonly registers: readonly string[];
  readonly signals: readonly string[];
  /** For each register the bits that can be flipped, alone or with the next higher one. */
  readonly flippableBits: (width: 1 | 2) => ReadonlyMap<string, readonly number[]>;
  readonly ramBase: number;
  /** Page frames that the golden run used. */
  readonly frames: readonly number[];
  /** Address of a symbol of the guest's ELF, or undefined. */
  symbol(name: string): bigint | undefined;
}

/** The guest at the moment of the injection. */
export interface InjectionTarget extends FaultTarget {
  readonly machine: ExperimentMachine<Snapshot>;
  readonly symbol: (name: string) => bigint;
  readonly advance: (by: Duration) => Promise<void>;
  /** Nanoseconds of guest time between two instructions. */
  readonly cycleNs: Nanoseconds;
}
