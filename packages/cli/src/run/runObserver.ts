import type { EventName, Facts, Nanoseconds, RmkEvent } from '@rmk/core';
import type { RunSummary } from './runSummary.js';

/** What of a guest may be looked at while it runs. */
export interface GuestProgress {
  readonly name: string;
  readonly memoryBytes: number;
  /** Names of its plugins, in start order. */
  readonly plugins: readonly string[];
  readonly domainNs: Nanoseconds;
  readonly checkpoints: number;
  readonly pageFaults: number;
}

/** Told what happens in a run, as it happens. It must not throw. */
export interface RunObserver {
  started(guests: readonly GuestProgress[]): void;
  output(guest: string, fact: Facts['output']): void;
  event<E extends EventName>(guest: string, name: E, event: RmkEvent<E>): void;
  ended(summary: RunSummary): void;
}

/**
 * The events that an observer is told: all of core's, save those that come many times in a slice, the output, each step in
 * the life of a plugin, and what the speed of the host decides.
 */
export const OBSERVED_EVENTS = [
  'EVT_CHECKPOINTED',
  'EVT_ROLLEDBACK',
  'EVT_CHECKPOINTLOST',
  'EVT_LOGLOST',
  'EVT_PROTECTIONLOST',
  'EVT_PROTECTIONRESTORED',
  'EVT_ERRORDETECTED',
  'EVT_RECOVERED',
  'EVT_RECOVERYFAILED',
  'EVT_VCPUSUSPENDED',
  'EVT_VCPURESUMED',
  'EVT_VMRESTARTED',
  'EVT_PLUGINFAULT',
  'EVT_PLUGINQUARANTINED',
  'EVT_WARNING',
] as const satisfies readonly EventName[];
