import type { Duration, Nanoseconds, Plugin } from '@rmk/core';
import type { Rig } from '../../rig.js';
import type { RigGuest } from '../../rigGuest.js';

/** An error that is done to a guest from outside, so that a rollback undoes it. */
export interface ProvokedError {
  /** Completes "finds …". */
  readonly what: string;
  /** The kind of detection that must be reported. */
  readonly kind: string;
  /** The detector subject's when absent. */
  readonly guest?: RigGuest;
  inject(rig: Rig): Promise<void>;
  /** How much domain time may pass from the injection until the error is there: an instruction when absent. */
  readonly arisesWithin?: Duration;
}

/** A guest that is well, for as long as `live` lets it run. */
export interface QuietLife {
  /** The detector subject's when absent. */
  readonly guest?: RigGuest;
  live(rig: Rig): Promise<void>;
}

/** What `describeDetector` needs of a detector. */
export interface DetectorSubject {
  /** A plugin for each test. */
  readonly plugin: () => Plugin;
  /** What it needs besides the pins, the checkpoint agent and an algorithm, which are there always. */
  readonly besides?: () => readonly Plugin[];
  /** In which errors are provoked; `tasks` when absent. */
  readonly guest?: RigGuest;
  /** At least one error for each kind that the plugin declares. */
  readonly finds: readonly ProvokedError[];
  /** How long the guest runs before an error is provoked: it has booted, and the detector is armed. 275.13 ms when absent. */
  readonly warmUp?: Duration;
  /** A guest that computes all the time; the guest `tasks`, for 3 s, when absent. */
  readonly busy?: QuietLife;
  /** A guest that mostly waits; the guest `server` without requests, for 30 s, when absent. */
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
