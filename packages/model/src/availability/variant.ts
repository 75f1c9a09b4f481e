import type { LatencyDistribution } from '../corruption/latencyDistribution.js';
import { ModelError, suggestion } from '../errors.js';
import type { Parameters } from './parameters.js';

/** The systems that can be compared. */
export const VARIANTS = {
  none: 'no checkpointing',
  single: 'one checkpoint retained',
  dual: 'two checkpoints retained (the paper)',
  rule: 'the one rule: T_B of each detector, as many checkpoints as it needs',
  k: 'k checkpoints retained (the parameter retained), T_B = (k-1) T_ck',
  replica: 'a remote replica, fail-stop assumed (Remus)',
  disk: 'two checkpoints in memory, and checkpoints on disk (§3.1)',
  vms: 'n VMs on one hypervisor (the parameter vms), dual; mean share up',
} as const;

export type Variant = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly Variant[];

/** Throws RMK_ERR_INPUT that offers the nearest known variant. */
export function requireVariant(name: string): Variant {
  const known = VARIANT_NAMES.find((variant) => variant === name);
  if (known === undefined) {
    throw new ModelError('RMK_ERR_INPUT', `there is no variant "${name}"${suggestion(name, VARIANT_NAMES)}`);
  }
  return known;
}

/** Parameters, and the latency where it was measured rather than described by them. */
export interface Setting {
  readonly parameters: Parameters;
  readonly latency?: LatencyDistribution;
}
