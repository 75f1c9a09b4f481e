import type { Growth } from './growth.js';
import type { RegionSource } from './regionSource.js';

/** Executes a region from an entry on, with a budget of instructions; gives what is left of it, and the next slot. */
export type RegionFunction = (remaining: number, entry: number) => readonly [remaining: number, slot: number];

/** A region that was translated. */
export interface Translation {
  readonly id: number;
  /** Where it can be entered, by the number of the entry. */
  readonly entries: readonly number[];
  /** Where its instructions lie; those of inlined functions are left out. */
  readonly places: Int32Array;
  /** Page frames that hold its instructions, as offsets into RAM over 4096. */
  readonly frames: readonly number[];
  readonly instructions: number;
  /** What it was translated from. */
  readonly source: RegionSource;
  /** How it may grow. */
  readonly growth: Growth;
  /** Places that have a slot because it names them. */
  readonly named: Set<number>;
  /** Of its module. */
  bytes: number;
  /** Executes it; undefined where compiling it failed. */
  run: RegionFunction | undefined;
  /**
   * Whether it can be entered. It cannot once its code was written to, but is kept: a rollback, a restart, or what ends
   * a fault brings the same code back.
   */
  isLinked: boolean;
  /** Whether memory was found to hold other code than its own, since its code was last written to. */
  differs: boolean;
}
