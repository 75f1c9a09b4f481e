import type { ChainDefinition, ChainState, ChainTransition } from '../chain/markovChain.js';
import { complement, product, type Rate } from '../chain/rate.js';
import { ModelError, requireCount } from '../errors.js';
import { LAMBDA_P, LAMBDA_S, LAMBDA_V, P_C, R_P, R_P_PRIME, R_S, R_V } from './microCheckpoint.js';

/** What is called up: the mean share of VMs that are, or all of them at once. */
export type UpMeaning = 'share' | 'all';

const EXACT_LIMIT = 7;
const LUMPED_LIMIT = 300;

/**
 * `n` protected VMs on one hypervisor, under one checkpointing VM, as §5 says that figure 5 was generalised (that model
 * is not in the paper; this one is ours). The VMs fail independently, each is rolled back or restarted side by side
 * with the others, and all share the checkpointing VM and the hypervisor. One state for each combination: for each VM u
 * (up), r (rolled back) or n (restarted, no usable checkpoint), and with the checkpointing VM failed u or d: 3ⁿ + 2ⁿ +
 * 1 states.
 *
 * Throws RMK_ERR_INPUT for more than 7 VMs; {@link manyVmsLumped} takes them.
 */
export function manyVmsExact(n: number, up: UpMeaning = 'share'): ChainDefinition {
  requireCount('the number of protected VMs', n);
  if (n > EXACT_LIMIT) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${n} VMs have too many states one by one (${EXACT_LIMIT} VMs at most): use the lumped model`,
    );
  }
  const rewardOf = (vms: string) => rewardFor(vms.replaceAll(/[^u]/g, '').length, n, up);
  const healthy = words(['u', 'r', 'n'], n);
  const unprotected = words(['u', 'd'], n);
  const states: ChainState[] = [
    ...healthy.map((vms) => ({ name: `${vms},1`, reward: rewardOf(vms) })),
    ...unprotected.map((vms) => ({ name: `${vms},F`, reward: rewardOf(vms) })),
    { name: 'F_S', reward: 0 },
  ];
  const transitions: ChainTransition[] = [];
  const add = (from: string, to: string, rate: Rate, label: string) =>
    transitions.push({ from, to, rate, label });
  for (const vms of healthy) {
    for (let i = 0; i < n; i++) {
      const become = (state: string) => `${vms.slice(0, i)}${state}${vms.slice(i + 1)},1`;
      if (vms[i] === 'u') {
        add(`${vms},1`, become('r'), product(LAMBDA_P, complement(P_C)), 'VM fails, checkpoint usable');
        add(`${vms},1`, become('n'), product(LAMBDA_P, P_C), 'VM fails, checkpoint corrupted');
      } else {
        add(`${vms},1`, become('u'), vms[i] === 'r' ? R_P_PRIME : R_P, 'VM recovered');
      }
    }
    add(`${vms},1`, `${vms.replaceAll(/[rn]/g, 'd')},F`, LAMBDA_S, 'checkpointing VM fails');
    add(`${vms},1`, 'F_S', LAMBDA_V, 'hypervisor or permanent failure');
  }
  for (const vms of unprotected) {
    for (let i = 0; i < n; i++) {
      if (vms[i] === 'u')
        add(`${vms},F`, `${vms.slice(0, i)}d${vms.slice(i + 1)},F`, LAMBDA_P, 'VM fails, unprotected');
    }
    add(`${vms},F`, `${vms.replaceAll('d', 'n')},1`, R_S, 'checkpointing VM restarted');
    add(`${vms},F`, 'F_S', LAMBDA_V, 'hypervisor or permanent failure');
  }
  add('F_S', `${'d'.repeat(n)},F`, R_V, 'hypervisor restarted');
  return { name: `${n} protected VMs, one by one`, states, transitions, initial: `${'u'.repeat(n)},1` };
}

/**
 * The same with the VMs lumped: equal VMs are interchangeable, so only their numbers count, and the lumping is exact. A
 * state is how many are rolled back and how many restarted, and with the checkpointing VM failed how many are down:
 * (n+1)(n+2)/2 + n + 2 states.
 *
 * Throws RMK_ERR_INPUT for more than 300 VMs.
 */
export function manyVmsLumped(n: number, up: UpMeaning = 'share'): ChainDefinition {
  requireCount('the number of protected VMs', n);
  if (n > LUMPED_LIMIT)
    throw new ModelError('RMK_ERR_INPUT', `${n} VMs are too many: ${LUMPED_LIMIT} at most`);
  const times = (count: number, rate: Rate) => (count === 1 ? rate : product(count, rate));
  const protectedName = (rolled: number, restarted: number) =>
    `${rolled} rolled back, ${restarted} restarted`;
  const unprotectedName = (down: number) => `${down} down, unprotected`;
  const states: ChainState[] = [];
  const transitions: ChainTransition[] = [];
  const add = (from: string, to: string, rate: Rate, label: string) =>
    transitions.push({ from, to, rate, label });
  for (let rolled = 0; rolled <= n; rolled++) {
    for (let restarted = 0; rolled + restarted <= n; restarted++) {
      const name = protectedName(rolled, restarted);
      const running = n - rolled - restarted;
      states.push({ name, reward: rewardFor(running, n, up) });
      if (running > 0) {
        const usable = times(running, product(LAMBDA_P, complement(P_C)));
        add(name, protectedName(rolled + 1, restarted), usable, 'a VM fails, checkpoint usable');
        const corrupted = times(running, product(LAMBDA_P, P_C));
        add(name, protectedName(rolled, restarted + 1), corrupted, 'a VM fails, checkpoint corrupted');
      }
      if (rolled > 0) add(name, protectedName(rolled - 1, restarted), times(rolled, R_P_PRIME), 'rollback');
      if (restarted > 0)
        add(name, protectedName(rolled, restarted - 1), times(restarted, R_P), 'VM and job restarted');
      add(name, unprotectedName(rolled + restarted), LAMBDA_S, 'checkpointing VM fails');
      add(name, 'F_S', LAMBDA_V, 'hypervisor or permanent failure');
    }
  }
  for (let down = 0; down <= n; down++) {
    const name = unprotectedName(down);
    states.push({ name, reward: rewardFor(n - down, n, up) });
    if (down < n) add(name, unprotectedName(down + 1), times(n - down, LAMBDA_P), 'a VM fails, unprotected');
    add(name, protectedName(0, down), R_S, 'checkpointing VM restarted');
    add(name, 'F_S', LAMBDA_V, 'hypervisor or permanent failure');
  }
  states.push({ name: 'F_S', reward: 0 });
  add('F_S', unprotectedName(n), R_V, 'hypervisor restarted');
  return { name: `${n} protected VMs`, states, transitions, initial: protectedName(0, 0) };
}

function rewardFor(running: number, n: number, up: UpMeaning): number {
  return up === 'share' ? running / n : running === n ? 1 : 0;
}

function words(letters: readonly string[], length: number): readonly string[] {
  let all = [''];
  for (let i = 0; i < length; i++) all = all.flatMap((word) => letters.map((letter) => word + letter));
  return all;
}
