import type { LatencyBound } from './detection.js';
import { token } from './token.js';
import type { Nanoseconds } from './units.js';

/**
 * A rung of the ladder. `'target'`: the newest checkpoint that predates the error according to the latency bound;
 * `'older'`: one before that; `'newer'`: one after the target, because older logs are damaged; `'only'`: the oldest
 * checkpoint, although it may contain the error; `'restart'`: of VM and job.
 */
export type Rung = 'target' | 'older' | 'newer' | 'only' | 'restart';

/** What triggered a recovery: the content of an EVT_ERRORDETECTED. */
export interface RecoveryTrigger {
  readonly kind: string;
  readonly cause: string;
  readonly atNs: Nanoseconds;
  readonly suspectSinceNs?: Nanoseconds;
  /**
   * T_B of §4, from the event or from what the detector declares; decides the target where `suspectSinceNs` is unknown.
   */
  readonly latency?: LatencyBound;
  readonly place?: string;
  /** The plugin that detected it. */
  readonly detector: string;
}

/** The result of trying a rung. */
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
  /**
   * Probability that the checkpoint used holds the error. Undefined after a restart, for an error that came again, and
   * where the detector states no latency that gives it.
   */
  readonly corruptionRisk?: number;
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

/** What a recovery shows of itself. */
export interface DomainRecovery {
  /** `'given-up'`: the VM stays suspended until someone restarts it through P_VCPU. */
  readonly state: 'ready' | 'recovering' | 'given-up';
}

/** Provided by the recovery of a domain. Two recoveries would undo each other's work, so a second one is refused. */
export const RECOVERY = token<DomainRecovery>('RECOVERY', {
  members: ['state'],
  provider: '@rmk/recovery',
});
