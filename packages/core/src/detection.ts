import { token } from './token.js';
import type { Nanoseconds } from './units.js';

/** What is known of an error's latency, the time from its occurrence to its detection (§4). */
export interface LatencyBound {
  /** T_B: the latency of the share `quantile` of errors does not exceed it. */
  readonly boundNs: Nanoseconds;
  /** Above 0 and below 1. Undefined if no error takes longer than `boundNs`. */
  readonly quantile?: number;
}

/** What a detector promises about the errors of one kind. */
export interface Detection extends LatencyBound {
  readonly kind: string;
  /** How the detector decides, where the bound alone does not say it. For people: `rmk doctor` prints it. */
  readonly note?: string;
}

/** What all installed detectors promise together, as it stands now. */
export interface Detections {
  readonly all: readonly (Detection & { readonly plugin: string })[];
  /** The longest bound of all; 0 where there is no detector. */
  readonly longestBoundNs: Nanoseconds;
}

export const DETECTIONS = token<Detections>('DETECTIONS');
