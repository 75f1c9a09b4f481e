import type { Region } from './region.js';
import type { RegionSource } from './regionSource.js';

/** Executes a region from an entry on, with a budget of instructions; gives what is left of it. */
export type RegionFunction = (remaining: number, entry: number) => number;

/** A region that was translated. */
export interface Translation {
  readonly id: number;
  readonly region: Region;
  /** The entries that were asked for. */
  readonly asked: readonly number[];
  /** What it was translated from. */
  readonly source: RegionSource;
  /** Places that it could not be grown by: compiling the larger one failed. */
  readonly refused: Set<number>;
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
