import type { Nanoseconds, RecoveryRecord } from '@rmk/core';
import type { Digest } from '@rmk/hypervisor-embedded';

/** The state of a guest at a moment of its own time: what an undisturbed run is compared by. */
export interface GuestState {
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  readonly digest: Digest;
}

/** A fault that was injected, and what became of it. */
export interface Incident {
  readonly guest: string;
  readonly fault: string;
  /** What exactly was done. */
  readonly detail: string;
  readonly injectedAtNs: Nanoseconds;
  /** Faults of this kind that were injected before, and undone since nothing was detected. */
  readonly undetectedBefore: number;
  /** Domain time from the injection to the first detection. */
  readonly latencyNs: Nanoseconds;
  /** The recoveries that it took, in order; the last one held. */
  readonly recoveries: readonly RecoveryRecord[];
  /** The guest's state as the last recovery left it, before it ran on. */
  readonly restored: GuestState;
}

/** The recovery that held. */
export function lastRecovery({ recoveries }: Incident): RecoveryRecord | undefined {
  return recoveries.at(-1);
}
