import { buildChain, type ChainDefinition, type MarkovChain } from '../chain/markovChain.js';
import { type ChainMeasures, meanTimeTo, measure } from '../chain/measures.js';
import type { ParameterValues } from '../chain/rate.js';
import { type Sensitivity, sensitivities } from '../chain/sensitivity.js';
import { steadyState, steadyStateByLu } from '../chain/steadyState.js';
import { DISK_BASED, diskCorruption } from './diskBased.js';
import { classCorruption, errorClasses } from './errorClasses.js';
import { manyVmsLumped } from './manyVms.js';
import { MICRO_CHECKPOINT } from './microCheckpoint.js';
import { NO_CHECKPOINTING } from './noCheckpointing.js';
import { latencyOf, type Parameters } from './parameters.js';
import { recoveryTime } from './recovery.js';
import { REMOTE_REPLICA } from './remoteReplica.js';
import { VARIANTS, type Setting, type Variant } from './variant.js';

const DEFINITIONS: Readonly<Record<Exclude<Variant, 'vms'>, ChainDefinition>> = {
  none: NO_CHECKPOINTING,
  single: MICRO_CHECKPOINT,
  dual: MICRO_CHECKPOINT,
  rule: MICRO_CHECKPOINT,
  k: MICRO_CHECKPOINT,
  replica: REMOTE_REPLICA,
  disk: DISK_BASED,
};

export function definitionOf(variant: Variant, parameters: Parameters): ChainDefinition {
  return variant === 'vms' ? manyVmsLumped(parameters.vms) : DEFINITIONS[variant];
}

/**
 * The rates (per hour) and probabilities of the variant's chain. `corruption` takes the place of the pc that follows
 * from the latency.
 */
export function valuesOf(variant: Variant, setting: Setting, corruption?: number): ParameterValues {
  const { parameters } = setting;
  const errors = errorClasses(variant, setting);
  const common = {
    λp: 1 / parameters.vmMttfHours,
    λv: 1 / parameters.hypervisorMttfHours,
    rp: 3600 / parameters.vmRestartSeconds,
    rv: 3600 / parameters.hypervisorRestartSeconds,
  };
  if (variant === 'none') return common;
  const pc = corruption ?? Math.min(1, classCorruption(errors, parameters.intervalMs));
  const recovery = recoveryTime(parameters, errors);
  const guarded = { ...common, λs: 1 / parameters.checkpointVmMttfHours, pc };
  if (variant === 'replica') {
    const rf = 3600 / (parameters.failoverSeconds + recovery.ageSeconds);
    return { ...guarded, rf, rr: 3600 / parameters.replicaRestartSeconds };
  }
  const local = {
    ...guarded,
    rs: 3600 / parameters.checkpointVmRestartSeconds,
    "r'p": 3600 / recovery.totalSeconds,
  };
  if (variant !== 'disk') return local;
  const { diskIntervalSeconds, diskWriteSeconds, diskLoadSeconds } = parameters;
  const latency = setting.latency ?? latencyOf(parameters);
  const pd = diskCorruption(latency, diskIntervalSeconds * 1000, diskWriteSeconds * 1000);
  return {
    ...local,
    pd,
    // A checkpoint on disk is older than those in memory, so whatever corrupts it has corrupted them.
    'pd|c': pc === 0 ? 0 : Math.min(1, pd / pc),
    // The newest complete one is from w to w + T old, on average w + T / 2; that is done again.
    rd: 3600 / (diskLoadSeconds + diskWriteSeconds + diskIntervalSeconds / 2),
  };
}

export function chainOf(variant: Variant, setting: Setting, corruption?: number): MarkovChain {
  const values = valuesOf(variant, setting, corruption);
  return buildChain(definitionOf(variant, setting.parameters), values, { dropUnreachable: true });
}

export interface VariantResult extends ChainMeasures {
  readonly variant: Variant;
  readonly description: string;
  readonly states: number;
  /** Rates per hour, and probabilities. */
  readonly values: ParameterValues;
  /** Mean time, in hours, until the service is first down, be it for a rollback. */
  readonly meanTimeToFailureHours: number;
  /**
   * Mean time, in hours, until a failure that no rollback or failover repairs; undefined if the chain has no such
   * failure.
   */
  readonly meanTimeToRestartHours: number | undefined;
  /** The probability that all VMs are up at once; of the variant "vms" alone, whose availability is the mean share. */
  readonly allUpAvailability: number | undefined;
  readonly sensitivities: readonly Sensitivity[];
  /** The largest difference of a probability from the LU solve; undefined for a chain that is too large for it. */
  readonly luDifference: number | undefined;
}

/** States in which the service is down and no rollback or failover is under way. */
const RESTARTED = new Set(['(0,0)', '(0,D)', '(0,F)', 'F_S']);

/** Solves one variant. */
export function solveVariant(variant: Variant, setting: Setting): VariantResult {
  const chain = chainOf(variant, setting);
  const pi = steadyState(chain);
  const lu = chain.states.length > 200 ? undefined : steadyStateByLu(chain);
  const named = variant !== 'vms' && variant !== 'none';
  return {
    variant,
    description: VARIANTS[variant],
    states: chain.states.length,
    values: chain.values,
    ...measure(chain, pi),
    meanTimeToFailureHours: meanTimeTo(chain, ({ reward }) => reward < 1),
    meanTimeToRestartHours: named ? meanTimeTo(chain, ({ name }) => RESTARTED.has(name)) : undefined,
    allUpAvailability:
      variant === 'vms'
        ? chain.states.reduce((sum, { reward }, state) => sum + (reward === 1 ? (pi[state] as number) : 0), 0)
        : undefined,
    sensitivities: sensitivities(chain),
    luDifference: lu?.reduce(
      (largest, p, state) => Math.max(largest, Math.abs(p - (pi[state] as number))),
      0,
    ),
  };
}

/** The availability alone. */
export function availabilityOf(variant: Variant, setting: Setting, corruption?: number): number {
  return measure(chainOf(variant, setting, corruption)).availability;
}
