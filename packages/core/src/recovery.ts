import type { Nanoseconds } from './units.js';

/** A rung of the ladder: the target that the error asks for, an older checkpoint, a newer one because older logs are damaged, or a restart of VM and job. */
export type Rung = 'target' | 'older' | 'newer' | 'restart';

/** What set a recovery off: the content of an EVT_ERRORDETECTED. */
export interface RecoveryTrigger {
  readonly kind: string;
  readonly cause: string;
  readonly atNs: Nanoseconds;
  readonly suspectSinceNs?: Nanoseconds;
  /** The plugin that detected it. */
  readonly detector: string;
}

/** What a rung that was tried came to. */
export interface RungAttempt {
  readonly rung: Rung;
  /** When the checkpoint that was tried had been taken; absent for a restart. */
  readonly takenAtNs?: Nanoseconds;
  /** Why the rung was skipped or failed; absent for the one that succeeded. */
  readonly failure?: string;
}

/** The record of a recovery, published with EVT_RECOVERED. Times in host nanoseconds are not deterministic. */
export interface RecoveryRecord {
  readonly trigger: RecoveryTrigger;
  readonly rung: Rung;
  /** Every rung that was considered, in order; the last one succeeded. */
  readonly attempts: readonly RungAttempt[];
  /** How often in a row this error was detected: 1 for a new one. */
  readonly occurrence: number;
  /** The checkpoint used; absent for a restart. */
  readonly checkpoint?: {
    readonly takenAtNs: Nanoseconds;
    readonly ageNs: Nanoseconds;
    readonly origin: 'first' | 'interval' | 'request' | 'rollback';
  };
  readonly pagesRestored: number;
  /** Guest time undone; absent for a restart, which loses all of it. */
  readonly workLostNs?: Nanoseconds;
  /** Output that had left already and was struck from the committed output; absent for a restart, which strikes all. */
  readonly outputStruckBytes?: number;
  readonly steps: {
    readonly suspendHostNs: number;
    readonly rollbackHostNs: number;
    readonly resumeHostNs: number;
  };
  readonly durationHostNs: number;
}
