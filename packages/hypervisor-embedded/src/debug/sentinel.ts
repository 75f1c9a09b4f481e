import type { Nanoseconds } from '@rmk/core';
import type { MachineSnapshot } from '../snapshot/machineSnapshot.js';

/** That something is wrong with the guest, and where that was seen. */
export interface Detection {
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  /** For people. */
  readonly what: string;
}

/**
 * Runs a twin of the debugged guest, ahead of it and protected, to see where an error is detected. The guest that is
 * debugged is not protected itself: so it can be taken to any moment, and nothing recovers it.
 */
export interface Sentinel {
  /** Protects the twin from this state on. */
  startFrom(snapshot: MachineSnapshot): Promise<void>;
  /**
   * Runs the twin up to a guest time. Resolves to the first detection at or before it. From then on it stays there
   * until {@link startFrom}.
   */
  until(guestNs: Nanoseconds): Promise<Detection | undefined>;
}
