import type { Nanoseconds, Rung } from '@rmk/core';
import type { Place } from '../fault/faultKind.js';
import type { Fate, Outcome } from './outcome.js';

/** What showed that the experiment needed to go no further. */
export type Proof =
  /** The register was replaced before anything read it: the run is the golden one. */
  | 'overwritten'
  /** State and output equal the golden run's at the same instruction. */
  | 'equal'
  /** Nothing but the flipped place differs, for as long as the experiment is watched. */
  | 'dormant'
  /** Nothing was injected: the trigger never came, or there was nothing to damage. */
  | 'not-reached'
  /** The guest switched itself off. */
  | 'ended'
  /** The recovery gave up. */
  | 'given-up'
  | 'timeout';

/** One line of a journal. Everything but `host` is a function of the experiment file and the number. */
export interface ExperimentRecord {
  readonly number: number;
  readonly fault: string;
  /** Absent: the fault was injected at the drawn moment. */
  readonly trigger?: string;
  readonly place: Place;
  /** For people. */
  readonly what: string;
  readonly injected: {
    readonly guestNs: Nanoseconds;
    readonly instructions: number;
    /** Since the newest checkpoint. */
    readonly phaseNs: Nanoseconds;
  };
  /** Of a flipped register. `'unused'`: neither, within the instructions that were looked at. */
  readonly firstUse?: {
    readonly how: 'read' | 'overwritten' | 'unused';
    readonly afterInstructions: number;
  };
  /** The first point of the grid at which more than the flipped place differed, before any detection. */
  readonly differsAtGuestNs?: Nanoseconds;
  readonly detection?: {
    readonly kind: string;
    readonly cause: string;
    readonly by: string;
    /** Injection to detection, in domain time. */
    readonly latencyNs: Nanoseconds;
    readonly instructions: number;
  };
  readonly detections: number;
  readonly recoveries: readonly {
    readonly rung: Rung;
    readonly pagesRestored: number;
    readonly workLostNs?: Nanoseconds;
  }[];
  readonly outcome: Outcome;
  readonly proof: Proof;
  readonly end: Fate;
  /** The run with detection on and recovery off. */
  readonly twin: Fate;
  /** Domain time from the injection to where the protected run was left. */
  readonly watchedNs: Nanoseconds;
  /** Faults, losses and warnings of RMK itself. */
  readonly unexpected: readonly string[];
  /** Of the experiments that run to the end although equality was proved. */
  readonly control?: 'agrees' | 'disagrees';
  readonly host: { readonly ms: number; readonly recoveryNs: readonly number[] };
}
