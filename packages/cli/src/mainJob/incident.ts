import type { GuestState } from '@rmk/campaign';
import type { Nanoseconds, RecoveryRecord } from '@rmk/core';

/** An injected fault and its recovery. */
export interface Incident {
  readonly guest: string;
  readonly fault: string;
  /** What exactly was done. */
  readonly detail: string;
  readonly injectedAtNs: Nanoseconds;
  /** Faults of this kind injected before this one and undone because nothing was detected. */
  readonly undetectedBefore: number;
  /** Domain time from the injection to the first detection. */
  readonly latencyNs: Nanoseconds;
  /** Recoveries in order; the error did not come back after the last one. */
  readonly recoveries: readonly RecoveryRecord[];
  /** The guest's state after the last recovery, before it continued. */
  readonly restored: GuestState;
}

/** The recovery after which the error did not come back. */
export function lastRecovery({ recoveries }: Incident): RecoveryRecord | undefined {
  return recoveries.at(-1);
}
