import type { Duration, Nanoseconds, Plugin } from '@rmk/core';
import type { Rig } from '../../rig.js';
import type { RigGuest } from '../../rigGuest.js';

/** An error that the suite injects into a guest, so that a rollback undoes it. */
export interface ProvokedError {
  /** Completes "finds …". */
  readonly what: string;
  /** The kind of detection that must be reported. */
  readonly kind: string;
  /** Default: the guest of the detector's subject. */
  readonly guest?: RigGuest;
  inject(rig: Rig): Promise<void>;
  /** How much domain time may pass from the injection until the error exists. Default: one instruction. */
  readonly arisesWithin?: Duration;
}

/** A healthy guest, for as long as `live` lets it run. */
export interface QuietLife {
  /** Default: the guest of the detector's subject. */
  readonly guest?: RigGuest;
  live(rig: Rig): Promise<void>;
}

/** What `describeDetector` needs to know about a detector. */
export interface DetectorSubject {
  /** A plugin for each test. */
  readonly plugin: () => Plugin;
  /** What it needs besides the pins, the checkpoint agent and an algorithm, which every test has. */
  readonly besides?: () => readonly Plugin[];
  /** Where the suite provokes errors. Default: the guest `tasks`. */
  readonly guest?: RigGuest;
  /** At least one error for each kind that the plugin declares. */
  readonly finds: readonly ProvokedError[];
  /** Time until an error is provoked: by then the guest has booted and the detector is armed. Default: 275.13 ms. */
  readonly warmUp?: Duration;
  /** A guest that computes all the time. Default: the guest `tasks`, for 3 s. */
  readonly busy?: QuietLife;
  /** A guest that mostly waits. Default: the guest `server` without requests, for 30 s. */
  readonly idle?: QuietLife;
  /** For detectors with a threshold: the longest silence that is legal, and a life with silences of a given length. */
  readonly silence?: {
    readonly threshold: Duration;
    readonly life: (silenceNs: Nanoseconds) => QuietLife;
  };
}

export const TASKS: RigGuest = { guest: 'tasks' };
export const WARM_UP: Duration = '275.13ms';
export const BUSY_LIFE: QuietLife = { guest: TASKS, live: (rig) => rig.advance('3s') };
export const IDLE_LIFE: QuietLife = { guest: { guest: 'server' }, live: (rig) => rig.advance('30s') };
