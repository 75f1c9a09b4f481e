import type { EpochPlan, EpochReport } from './pageLog.js';
import { token } from './token.js';
import type { Nanoseconds } from './units.js';

/** A checkpoint in the ring of the agent. Its bytes are the driver's. */
export interface Checkpoint {
  readonly takenAtNs: Nanoseconds;
  /**
   * `'first'` of a stretch of protection, at the `'interval'`, on `'request'`, or what a `'rollback'` left at its
   * target.
   */
  readonly origin: 'first' | 'interval' | 'request' | 'rollback';
}

/** What a rollback did. */
export interface Rollback {
  readonly pagesRestored: number;
  /** Guest time undone: the work lost. */
  readonly undoneNs: Nanoseconds;
  readonly outputStruckBytes: number;
  /** The checkpoint that stands at the target's state now, as the newest of the ring. */
  readonly reopened: Checkpoint;
}

/** Decides what is saved ahead of the writes (§3). */
export interface CheckpointAlgorithm {
  readonly name: string;
  /**
   * Called outside the pause, synchronously, for each checkpoint and each rollback. May depend on `history` alone: the
   * reports of the closed epochs, newest first, as far back as the ring reaches. After a rollback, a restart or a loss
   * of protection there are none.
   */
  plan(history: readonly EpochReport[]): EpochPlan;
}

/** The checkpoint agent of one domain: the ring of checkpoints and the interval. */
export interface Checkpoints {
  /** Newest first. */
  readonly retained: readonly Checkpoint[];
  /** How many are kept: fixed by option, or derived from the bounds of the detectors. */
  readonly retain: number;
  readonly intervalNs: Nanoseconds;
  /**
   * Installs an algorithm. The one installed last plans, from the next checkpoint on. Disposing of it reinstates the
   * one before. Without any, no checkpoints are taken. A plan that fails is a fault of the plugin that called this.
   */
  use(algorithm: CheckpointAlgorithm): Disposable;
  /** Takes a checkpoint now. `RMK_ERR_UNPROTECTED` where no algorithm is installed. */
  take(): Promise<Checkpoint>;
  /** Rolls the suspended VM back to `to`, which must be retained. On failure the VM is as it was. */
  rollback(to: Checkpoint): Promise<Rollback>;
}

export const CHECKPOINTS = token<Checkpoints>('CHECKPOINTS', {
  members: ['retained', 'retain', 'intervalNs', 'use', 'take', 'rollback'],
  callbacks: { use: ['plan'] },
  provider: '@rmk/checkpoint',
});
