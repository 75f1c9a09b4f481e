import type { ChainDefinition, ChainTransition } from '../chain/markovChain.js';
import { complement, parameter, product } from '../chain/rate.js';

export const LAMBDA_P = parameter('λp');
export const LAMBDA_S = parameter('λs');
export const LAMBDA_V = parameter('λv');
export const R_P = parameter('rp');
export const R_P_PRIME = parameter("r'p");
export const R_S = parameter('rs');
export const R_V = parameter('rv');
export const P_C = parameter('pc');

/** The sentences of §5 that the transitions rest on. */
export const SENTENCES = {
  recovered: '§5 (a): "the VM is recovered by the checkpointing VM if there is no checkpoint corruption"',
  corrupted:
    '§5 (a): "When there is such corruption, a new VM is started on the same physical host, and the jobs being executed at the time of the failure are re-executed from the beginning"',
  agentLost:
    '§5 (b): "the checkpointing VM is restarted on the same physical host [...]; at the same time, the protected VM is still available for job execution"',
  bothLost:
    '§5 (b): "When a protected VM fails during the failure/restart of the checkpointing VM, our recovery protocol first restarts the checkpointing VM, and then restarts the protected VM"',
  hypervisorLost:
    '§5 (c): "a hypervisor is started either on the same physical node or on another node, the checkpointing VM is started on the hypervisor, and then the protected VM is started"',
} as const;

const { recovered, corrupted, agentLost, bothLost, hypervisorLost } = SENTENCES;
const ASSUMED_AGENT = 'assumed: the checkpointing VM can also fail while the protected VM is down';

const transitions: readonly ChainTransition[] = [
  {
    from: '(1,1)',
    to: '(0,1)',
    rate: product(LAMBDA_P, complement(P_C)),
    label: 'VM fails, checkpoint usable',
    source: recovered,
  },
  { from: '(0,1)', to: '(1,1)', rate: R_P_PRIME, label: 'rollback', source: recovered },
  {
    from: '(1,1)',
    to: '(0,0)',
    rate: product(LAMBDA_P, P_C),
    label: 'VM fails, checkpoint corrupted',
    source: corrupted,
  },
  { from: '(0,0)', to: '(1,1)', rate: R_P, label: 'VM and job restarted', source: corrupted },
  { from: '(1,1)', to: '(1,F)', rate: LAMBDA_S, label: 'checkpointing VM fails', source: agentLost },
  {
    from: '(1,F)',
    to: '(1,1)',
    rate: R_S,
    label: 'checkpointing VM restarted, first checkpoint saved',
    source: agentLost,
  },
  { from: '(1,F)', to: '(0,F)', rate: LAMBDA_P, label: 'VM fails, unprotected', source: bothLost },
  { from: '(0,F)', to: '(0,0)', rate: R_S, label: 'checkpointing VM restarted', source: bothLost },
  { from: '(0,1)', to: '(0,F)', rate: LAMBDA_S, label: 'checkpointing VM fails', source: ASSUMED_AGENT },
  { from: '(0,0)', to: '(0,F)', rate: LAMBDA_S, label: 'checkpointing VM fails', source: ASSUMED_AGENT },
  ...['(1,1)', '(0,1)', '(0,0)', '(1,F)', '(0,F)'].map((from) => ({
    from,
    to: 'F_S',
    rate: LAMBDA_V,
    label: 'hypervisor or permanent failure',
    source: '§5: "when a permanent failure occurs [...], the entire physical node fails" ((1,1) -> F_S)',
  })),
  { from: 'F_S', to: '(0,F)', rate: R_V, label: 'hypervisor restarted', source: hypervisorLost },
];

/**
 * The availability model of figure 5, one protected VM. The figure is lost; this is a reconstruction from the text, and
 * each transition names the sentence that it rests on. A state is (k, j): k the protected VM (1 up, 0 failed), j the
 * checkpointing VM (1 up with a usable checkpoint, 0 up without one, F failed); F_S is the loss of the whole node. The
 * VM is available in (1,1) and (1,F).
 */
export const MICRO_CHECKPOINT: ChainDefinition = {
  name: 'VM-µCheckpoint (figure 5)',
  states: [
    { name: '(1,1)', reward: 1 },
    { name: '(0,1)', reward: 0 },
    { name: '(0,0)', reward: 0 },
    { name: '(1,F)', reward: 1 },
    { name: '(0,F)', reward: 0 },
    { name: 'F_S', reward: 0 },
  ],
  transitions,
  initial: '(1,1)',
};
