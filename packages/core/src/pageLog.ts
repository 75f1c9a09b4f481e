import type { Nanoseconds } from './units.js';

/** The largest cluster that a plan may ask for. */
export const MAX_CLUSTER_PAGES = 512;

/**
 * What a checkpoint algorithm requests of the driver for the next epoch.
 * The driver need not comply: a tracker without page faults pre-saves nothing, and its reports say so.
 */
export interface EpochPlan {
  /**
   * `'updated'`: the pages written in the epoch that ends (H_i of §3), found by the driver inside the pause. If no
   * epoch ends (H_0): those written since the last checkpoint or the boot, if the driver knows them and they are few.
   */
  readonly preSave: 'none' | 'updated';
  /** Page frames to pre-save besides. */
  readonly add?: Uint32Array;
  /** Page frames not to pre-save, even if `'updated'` or `add` include them. */
  readonly drop?: Uint32Array;
  /** Pages saved at each page fault: a power of two up to {@link MAX_CLUSTER_PAGES}, aligned. Default: 1. */
  readonly clusterPages?: number;
}

/** What happened in an epoch, the stretch between two checkpoints. */
export interface EpochReport {
  readonly openedAtNs: Nanoseconds;
  readonly closedAtNs: Nanoseconds;
  /** Page frames written, ascending. */
  readonly updated: Uint32Array;
  /** First writes to protected pages. */
  readonly pageFaults: number;
  /** Entries in the page log: saved at a fault or before. */
  readonly pagesSaved: number;
  /** Entries saved before any write to their page: at t_i, or as neighbours of a faulting page. */
  readonly pagesPreSaved: number;
  /** Pre-saved pages that were not written. */
  readonly preSavedInVain: number;
  /** Host time that the checkpoint at the start of the epoch paused the VM; part of no deterministic result. */
  readonly pauseHostNs: number;
}

/** DP_i of §3: the prior contents of each page changed in an epoch. The bytes stay with the driver. */
export interface PageLog {
  readonly pages: number;
  /** In the order in which they were saved. */
  frames(): Promise<Uint32Array>;
  /** `'absent'`: the page did not exist when the epoch opened, and a rollback makes it so again. */
  read(frame: number): Promise<Uint8Array | 'absent'>;
  /** The page frames whose entries fail their checksum. */
  verify(): Promise<Uint32Array>;
  release(): void;
}

/** All of the VM that is not in pages: registers, control registers, timers, devices, positions of input and output. */
export interface Context {
  readonly bytes: number;
  verify(): Promise<boolean>;
  release(): void;
}
