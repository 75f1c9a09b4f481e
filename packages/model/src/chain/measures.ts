import { ModelError } from '../errors.js';
import { graphOf } from './components.js';
import { steadyState } from './steadyState.js';
import type { MarkovChain } from './markovChain.js';

/** A year of 365 days. */
export const HOURS_PER_YEAR = 8760;

export interface ChainMeasures {
  /** The mean reward in the steady state: the availability where rewards are 0 and 1. */
  readonly availability: number;
  /** 1 - availability, summed over the down states and not subtracted, so that all its digits count. */
  readonly unavailability: number;
  readonly downtimeMinutesPerYear: number;
  /** By state. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** What the chain's steady state says of availability. */
export function measure(chain: MarkovChain, pi: Float64Array = steadyState(chain)): ChainMeasures {
  const unavailability = unavailabilityOf(chain, pi);
  return {
    availability: 1 - unavailability,
    unavailability,
    downtimeMinutesPerYear: unavailability * HOURS_PER_YEAR * 60,
    probabilities: Object.fromEntries(chain.states.map(({ name }, state) => [name, pi[state] as number])),
  };
}

/** Σ π_i (1 - reward_i). */
export function unavailabilityOf(chain: MarkovChain, pi: Float64Array): number {
  return chain.states.reduce((sum, { reward }, state) => sum + (pi[state] as number) * (1 - reward), 0);
}

/**
 * The mean time, in hours, from the initial state until the chain first enters a state of `entered` (by default one
 * whose reward is 0: the mean time to failure).
 *
 * Each such entry is turned into a return to the initial state; then entries happen at a rate that the steady state of
 * that chain gives, and its inverse is the mean time, with no subtraction anywhere.
 *
 * Throws RMK_ERR_INPUT if the initial state is itself one of them, and RMK_ERR_CHAIN if the chain may never enter one.
 */
export function meanTimeTo(
  chain: MarkovChain,
  entered: (state: { readonly name: string; readonly reward: number }) => boolean = ({ reward }) =>
    reward === 0,
): number {
  const target = chain.states.map((state) => entered(state));
  if (target[chain.initial] === true) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `"${chain.name}" starts in the state that its mean time to entry was asked of`,
    );
  }
  const numbers = new Map<number, number>([[chain.initial, 0]]);
  const todo = [chain.initial];
  const outgoing = groupByFrom(chain);
  const arcs: { from: number; to: number; rate: number }[] = [];
  const entries: { from: number; rate: number }[] = [];
  for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
    const from = numbers.get(state) as number;
    for (const { to, rate } of outgoing.get(state) ?? []) {
      if (target[to] === true) {
        entries.push({ from, rate });
        continue;
      }
      if (!numbers.has(to)) {
        numbers.set(to, numbers.size);
        todo.push(to);
      }
      arcs.push({ from, to: numbers.get(to) as number, rate });
    }
  }
  if (entries.length === 0) {
    throw new ModelError(
      'RMK_ERR_CHAIN',
      `"${chain.name}" never enters such a state: the mean time to it is infinite`,
    );
  }
  if (!allReach(numbers.size, arcs, entries)) {
    throw new ModelError(
      'RMK_ERR_CHAIN',
      `"${chain.name}" can end elsewhere and never enter such a state: the mean time to it is infinite`,
    );
  }
  const states = [...numbers.keys()].map((state) => chain.states[state] as (typeof chain.states)[number]);
  const definition = { from: '', to: '', rate: { kind: 'number', value: 0 }, label: '' } as const;
  const returns = entries.filter(({ from }) => from !== 0).map(({ from, rate }) => ({ from, to: 0, rate }));
  const renewed = [...arcs, ...returns].map((arc) => ({ ...arc, definition }));
  const pi =
    states.length === 1
      ? Float64Array.of(1)
      : steadyState({ ...chain, states, arcs: renewed, dormant: [], initial: 0, recurrent: true });
  return 1 / entries.reduce((sum, { from, rate }) => sum + (pi[from] as number) * rate, 0);
}

/** Whether one of the entries can be reached from each of the states. */
function allReach(
  size: number,
  arcs: readonly { readonly from: number; readonly to: number }[],
  entries: readonly { readonly from: number }[],
): boolean {
  const { starts, targets } = graphOf(
    size,
    arcs.map(({ from, to }) => ({ from: to, to: from })),
  );
  const seen = new Set(entries.map(({ from }) => from));
  for (const state of seen) {
    for (let at = starts[state] as number; at < (starts[state + 1] as number); at++)
      seen.add(targets[at] as number);
  }
  return seen.size === size;
}

function groupByFrom(chain: MarkovChain) {
  const groups = new Map<number, { readonly to: number; readonly rate: number }[]>();
  for (const arc of chain.arcs) {
    const group = groups.get(arc.from);
    if (group === undefined) groups.set(arc.from, [arc]);
    else group.push(arc);
  }
  return groups;
}
