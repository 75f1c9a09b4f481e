import type { ChainDefinition } from '../chain/markovChain.js';
import { complement, parameter, product } from '../chain/rate.js';
import type { LatencyDistribution } from '../corruption/latencyDistribution.js';
import { LAMBDA_P, LAMBDA_S, LAMBDA_V, MICRO_CHECKPOINT, P_C, R_S, SENTENCES } from './microCheckpoint.js';

/** Recovery from the checkpoint on disk: load it, and do again what was done since. */
const R_D = parameter('rd');
/** P(the checkpoint on disk is corrupted). */
const P_D = parameter('pd');
/** P(the checkpoint on disk is corrupted, given that those in memory are). */
const P_DM = parameter('pd|c');

const DISK =
  '§3.1: "In order to recover a VM against a permanent failure or a hypervisor failure, VM checkpoints can be saved in disks"';
const COMPLEMENT =
  "§1: disk-based checkpointing is complementary; a checkpoint on disk is far older than an error's latency";
const AGENT = 'assumed: the checkpointing VM can also fail while the protected VM is down';

const replaced = new Set(['(1,1)→(0,0)', '(0,F)→(0,0)']);

/**
 * Figure 5 with checkpoints on disk besides (§3.1): (0,D) is the protected VM down, to be resumed from disk and not
 * from its job's beginning. The paper's own extension is "available upon request" only; this one is ours. It is figure
 * 5 exactly when recovering from disk takes as long as restarting.
 */
export const DISK_BASED: ChainDefinition = {
  name: 'VM-µCheckpoint with checkpoints on disk (§3.1)',
  states: [
    ...MICRO_CHECKPOINT.states.slice(0, 2),
    { name: '(0,D)', reward: 0 },
    ...MICRO_CHECKPOINT.states.slice(2),
  ],
  transitions: [
    ...MICRO_CHECKPOINT.transitions.filter(({ from, to }) => !replaced.has(`${from}→${to}`)),
    {
      from: '(1,1)',
      to: '(0,D)',
      rate: product(LAMBDA_P, P_C, complement(P_DM)),
      label: 'VM fails, memory corrupted, disk clean',
      source: COMPLEMENT,
    },
    {
      from: '(1,1)',
      to: '(0,0)',
      rate: product(LAMBDA_P, P_C, P_DM),
      label: 'VM fails, memory and disk corrupted',
      source: SENTENCES.corrupted,
    },
    { from: '(0,D)', to: '(1,1)', rate: R_D, label: 'resumed from disk', source: DISK },
    {
      from: '(0,F)',
      to: '(0,D)',
      rate: product(R_S, complement(P_D)),
      label: 'checkpointing VM restarted, disk clean',
      source: DISK,
    },
    {
      from: '(0,F)',
      to: '(0,0)',
      rate: product(R_S, P_D),
      label: 'checkpointing VM restarted, disk corrupted',
      source: SENTENCES.bothLost,
    },
    { from: '(0,D)', to: '(0,F)', rate: LAMBDA_S, label: 'checkpointing VM fails', source: AGENT },
    {
      from: '(0,D)',
      to: 'F_S',
      rate: LAMBDA_V,
      label: 'hypervisor or permanent failure',
      source: SENTENCES.hypervisorLost,
    },
  ],
  initial: '(1,1)',
};

/**
 * The probability that the newest complete checkpoint on disk is corrupted: it is one taken at least `writeMs` before
 * the detection, and they are `intervalMs` apart, so the error is in it when l > w + d with d uniform on [0, T): (1/T)
 * ∫ P(l > u) du over [w, w + T].
 */
export function diskCorruption(latency: LatencyDistribution, intervalMs: number, writeMs: number): number {
  const upTo = (ms: number) => ms * latency.corruption(ms, 1);
  return Math.max(0, (upTo(writeMs + intervalMs) - upTo(writeMs)) / intervalMs);
}
