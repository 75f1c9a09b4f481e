import type { Nanoseconds, Rung } from '@rmk/core';
import { ExitCode } from '../exitCode.js';

/**
 * State of a guest at the end: it switched itself off; it can still run; the recovery gave it up; or it can never
 * continue by itself, because it is suspended or waits for what cannot come.
 */
export type GuestEnding = 'ended' | 'running' | 'given-up' | 'halted';

export interface GuestSummary {
  readonly guest: string;
  readonly ending: GuestEnding;
  /** Undefined if it did not switch itself off. */
  readonly exitCode?: number;
  readonly domainNs: Nanoseconds;
  readonly guestNs: Nanoseconds;
  /** Retired by the guest as it knows itself: what was undone is not counted. Absent for guests in QEMU. */
  readonly instructions?: number;
  readonly checkpoints: number;
  readonly pageFaults: number;
  readonly recoveries: Readonly<Record<Rung, number>>;
  /** Guest time undone by rollbacks and restarts. */
  readonly workLostNs: Nanoseconds;
  readonly committedBytes: number;
  readonly wireBytes: number;
  /** Faults of its plugins. */
  readonly pluginFaults: number;
  /** Its plugins that had faults, or are quarantined at the end. */
  readonly faultyPlugins: readonly FaultyPlugin[];
}

export interface FaultyPlugin {
  readonly plugin: string;
  readonly faults: number;
  readonly isQuarantined: boolean;
}

export interface RunSummary {
  /** Why the run ended: all guests ended, the time limit was reached, or the user stopped it. */
  readonly endedBy: 'guests' | 'until' | 'interruption';
  readonly guests: readonly GuestSummary[];
  /** What failed while the run was being stopped. */
  readonly problems: readonly string[];
}

export function exitCodeOf({ guests, problems }: RunSummary): ExitCode {
  return problems.length === 0 && guests.every(isWell) ? ExitCode.DONE : ExitCode.FAILED;
}

/** A guest that was still able to run has not failed. */
export function isWell({ ending, exitCode }: GuestSummary): boolean {
  return ending === 'running' || (ending === 'ended' && exitCode === 0);
}
