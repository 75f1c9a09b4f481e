import type { ChainDefinition } from '../chain/markovChain.js';
import { complement, parameter, product, sum } from '../chain/rate.js';
import { LAMBDA_P, LAMBDA_S, LAMBDA_V, P_C, R_P, R_V, SENTENCES } from './microCheckpoint.js';

/** Failover to the replica. */
const R_F = parameter('rf');
/** Establishing a new replica, with its first checkpoint. */
const R_R = parameter('rr');

const FAIL_STOP =
  '§9: "checkpoint corruption is not handled in Remus (fail-stop errors are assumed in Remus)"';
const FAILOVER = '§9: Remus "maintains a backup VM on a separate physical node"';
const ASSUMED = "assumed: the replica's agent fails at λs and its node at λv, like the primary's";
const ALONE = 'assumed: a VM that runs without a replica is restarted as without checkpointing';

/**
 * A remote replica in the manner of Remus, for the comparison of §5.1: one checkpoint, on another node; errors are
 * taken to be fail-stop, so a corrupted checkpoint is not noticed in time and the failover to it fails (pc is that of
 * one checkpoint); the loss of the hypervisor is survived by failing over. The paper gives no model of it: this one is
 * ours. (k, j) as in figure 5, with j the replica: 1 in step, 0 corrupted, F none.
 */
export const REMOTE_REPLICA: ChainDefinition = {
  name: 'remote replica',
  states: [
    { name: '(1,1)', reward: 1 },
    { name: '(0,1)', reward: 0 },
    { name: '(0,0)', reward: 0 },
    { name: '(1,F)', reward: 1 },
    { name: '(0,F)', reward: 0 },
    { name: 'F_S', reward: 0 },
  ],
  transitions: [
    {
      from: '(1,1)',
      to: '(0,1)',
      rate: product(LAMBDA_P, complement(P_C)),
      label: 'VM fails, replica clean',
      source: FAILOVER,
    },
    { from: '(1,1)', to: '(0,1)', rate: LAMBDA_V, label: 'primary node lost', source: FAILOVER },
    { from: '(0,1)', to: '(1,F)', rate: R_F, label: 'failover; the replica is used up', source: FAILOVER },
    {
      from: '(1,1)',
      to: '(0,0)',
      rate: product(LAMBDA_P, P_C),
      label: 'VM fails, replica corrupted',
      source: FAIL_STOP,
    },
    { from: '(0,0)', to: '(1,1)', rate: R_P, label: 'VM and job restarted', source: SENTENCES.corrupted },
    { from: '(1,1)', to: '(1,F)', rate: sum(LAMBDA_S, LAMBDA_V), label: 'replica lost', source: ASSUMED },
    { from: '(1,F)', to: '(1,1)', rate: R_R, label: 'new replica in step', source: ASSUMED },
    { from: '(1,F)', to: '(0,F)', rate: LAMBDA_P, label: 'VM fails, no replica', source: ALONE },
    { from: '(0,F)', to: '(1,F)', rate: R_P, label: 'VM and job restarted', source: ALONE },
    { from: '(0,1)', to: '(0,F)', rate: sum(LAMBDA_S, LAMBDA_V), label: 'replica lost', source: ASSUMED },
    {
      from: '(0,0)',
      to: '(0,F)',
      rate: sum(LAMBDA_S, product(2, LAMBDA_V)),
      label: 'one of the two nodes lost, restart on the other',
      source: ASSUMED,
    },
    { from: '(1,F)', to: 'F_S', rate: LAMBDA_V, label: 'only node lost', source: SENTENCES.hypervisorLost },
    { from: '(0,F)', to: 'F_S', rate: LAMBDA_V, label: 'only node lost', source: SENTENCES.hypervisorLost },
    { from: 'F_S', to: '(0,F)', rate: R_V, label: 'hypervisor restarted', source: SENTENCES.hypervisorLost },
  ],
  initial: '(1,1)',
};
