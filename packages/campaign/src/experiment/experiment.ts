import type { Nanoseconds } from '@rmk/core';
import type { ChosenFault } from '../fault/faultKind.js';
import type { SteadyState } from '../golden/goldenTrack.js';

/** What a campaign injects, and how it looks at the result. */
export interface Experiment {
  readonly seed: number;
  readonly count: number;
  readonly faults: readonly ChosenFault[];
  readonly steadyState: SteadyState;
  /** Guest time between two golden snapshots: where experiments can begin and equality can be proved. */
  readonly gridNs: Nanoseconds;
  /**
   * Guest time in which faults are injected, uniformly. Default: from where the history is full to the golden run's
   * end.
   */
  readonly window?: { readonly fromNs?: Nanoseconds; readonly toNs?: Nanoseconds };
  /** Guest time after which a fault that changed nothing but the flipped place is let go. */
  readonly watchNs: Nanoseconds;
  /** Guest time past the golden run's end after which a guest counts as hung. */
  readonly timeoutNs: Nanoseconds;
  /** Share of the experiments that run to the end although equality was proved. */
  readonly control: number;
  /** Most instructions after the injection at which the use of a flipped register is looked at. */
  readonly traceInstructions: number;
}

export const EXPERIMENT_DEFAULTS = {
  gridNs: 2e6,
  watchNs: 250e6,
  timeoutNs: 500e6,
  control: 0.05,
  traceInstructions: 20_000,
} as const;
