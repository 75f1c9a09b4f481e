import type { ChainDefinition } from '../chain/markovChain.js';
import { LAMBDA_P, LAMBDA_V, R_P, R_V, SENTENCES } from './microCheckpoint.js';

/**
 * The same VM without checkpointing: there is no checkpointing VM, and every failure restarts the VM and its job. "1"
 * and "0" are the protected VM's states.
 */
export const NO_CHECKPOINTING: ChainDefinition = {
  name: 'no checkpointing',
  states: [
    { name: '1', reward: 1 },
    { name: '0', reward: 0 },
    { name: 'F_S', reward: 0 },
  ],
  transitions: [
    { from: '1', to: '0', rate: LAMBDA_P, label: 'VM fails', source: SENTENCES.corrupted },
    { from: '0', to: '1', rate: R_P, label: 'VM and job restarted', source: SENTENCES.corrupted },
    {
      from: '1',
      to: 'F_S',
      rate: LAMBDA_V,
      label: 'hypervisor or permanent failure',
      source: SENTENCES.hypervisorLost,
    },
    {
      from: '0',
      to: 'F_S',
      rate: LAMBDA_V,
      label: 'hypervisor or permanent failure',
      source: SENTENCES.hypervisorLost,
    },
    { from: 'F_S', to: '0', rate: R_V, label: 'hypervisor restarted', source: SENTENCES.hypervisorLost },
  ],
  initial: '1',
};
