import type { GuestState } from '@rmk/campaign';
import type { Nanoseconds } from '@rmk/core';
import type { MachineOptions } from '@rmk/hypervisor-embedded';

/** A guest of the main job. */
export interface GuestSpec {
  readonly machine: MachineOptions;
  /** Whether it runs tasks in user mode, one of which can be made to loop. */
  readonly hasTasks: boolean;
}

/** States of an undisturbed run without RMK, by guest time. */
export type GoldenStates = ReadonlyMap<Nanoseconds, GuestState>;
