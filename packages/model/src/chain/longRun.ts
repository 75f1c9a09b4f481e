import { ModelError, suggestion } from '../errors.js';
import { components, graphOf } from './components.js';
import type { ChainArc, ChainState, MarkovChain } from './markovChain.js';
import { steadyState } from './steadyState.js';
import { transient } from './transient.js';
import type { TransientOptions } from './uniformisation.js';

/** States that the chain never leaves together: one absorbing state, or several between which it goes on. */
export interface RecurrentClass {
  readonly states: readonly string[];
  /** The probability that the chain ends in this class. */
  readonly probability: number;
}

export interface LongRun {
  readonly classes: readonly RecurrentClass[];
  /** The probability of each state in the long run. */
  readonly probabilities: Float64Array;
  /** The mean time, in hours, until the chain is in one of its classes for good. 0 if it starts in one. */
  readonly meanTimeToAbsorptionHours: number;
}

/**
 * What becomes of a chain in the end, absorbing states or not.
 *
 * Each class is made one state that returns to the initial state at a rate of 1. The steady state of that chain gives
 * the probability of each class, and how long the chain is on its way for each time that it arrives, with no
 * subtraction anywhere.
 */
export function longRun(chain: MarkovChain): LongRun {
  const n = chain.states.length;
  const { of, count } = components(graphOf(n, chain.arcs));
  const leaves = new Uint8Array(count);
  for (const { from, to } of chain.arcs) if (of[from] !== of[to]) leaves[of[from] as number] = 1;
  const members = Array.from({ length: count }, (): number[] => []);
  for (let state = 0; state < n; state++) members[of[state] as number]?.push(state);
  const classes = members.filter((_, component) => leaves[component] === 0);
  const start = of[chain.initial] as number;
  const onTheWay = (state: number) => leaves[of[state] as number] === 1;

  let chances: number[] = classes.map((states) => (states.includes(chain.initial) ? 1 : 0));
  let meanTimeToAbsorptionHours = 0;
  if (leaves[start] === 1) {
    // The states on the way first, then one for each class.
    const numbers = new Map<number, number>();
    for (let state = 0; state < n; state++) if (onTheWay(state)) numbers.set(state, numbers.size);
    const way = numbers.size;
    for (const [index, states] of classes.entries())
      for (const state of states) numbers.set(state, way + index);
    const initial = numbers.get(chain.initial) as number;
    const definition = { from: '', to: '', rate: { kind: 'number', value: 1 }, label: '' } as const;
    const arcs: ChainArc[] = chain.arcs
      .filter(({ from }) => onTheWay(from))
      .map(({ from, to, rate }) => ({
        from: numbers.get(from) as number,
        to: numbers.get(to) as number,
        rate,
        definition,
      }));
    for (const index of classes.keys()) arcs.push({ from: way + index, to: initial, rate: 1, definition });
    const states: ChainState[] = Array.from({ length: way + classes.length }, (_, i) => ({
      name: String(i),
      reward: 1,
    }));
    const pi = steadyState({ ...chain, states, arcs, dormant: [], initial, recurrent: true });
    const arrived = pi.subarray(way).reduce((sum, p) => sum + p, 0);
    chances = classes.map((_, index) => (pi[way + index] as number) / arrived);
    meanTimeToAbsorptionHours = pi.subarray(0, way).reduce((sum, p) => sum + p, 0) / arrived;
  }
  const probabilities = new Float64Array(n);
  for (const [index, states] of classes.entries()) {
    const within = stationary(chain, states);
    for (const [i, state] of states.entries()) {
      probabilities[state] = (chances[index] as number) * (within[i] as number);
    }
  }
  return {
    classes: classes.map((states, index) => ({
      states: states.map((state) => chain.states[state]?.name ?? ''),
      probability: chances[index] as number,
    })),
    probabilities,
    meanTimeToAbsorptionHours,
  };
}

/** The steady state within one class. */
function stationary(chain: MarkovChain, states: readonly number[]): Float64Array {
  if (states.length === 1) return Float64Array.of(1);
  const numbers = new Map(states.map((state, index) => [state, index]));
  const arcs = chain.arcs.flatMap((arc) => {
    const [from, to] = [numbers.get(arc.from), numbers.get(arc.to)];
    return from === undefined || to === undefined ? [] : [{ ...arc, from, to }];
  });
  const named = states.map((state) => chain.states[state] as ChainState);
  return steadyState({ ...chain, states: named, arcs, dormant: [], initial: 0, recurrent: true });
}

/**
 * R(t): the probability that the chain has not entered a state of `failed` (by default one whose reward is 0) until
 * `hours`, whatever it does afterwards.
 *
 * Throws RMK_ERR_INPUT and RMK_ERR_NUMERIC as {@link transient}.
 */
export function reliability(
  chain: MarkovChain,
  hours: number,
  failed: (state: ChainState) => boolean = ({ reward }) => reward === 0,
  options: Pick<TransientOptions, 'tolerance'> = {},
): number {
  const stopped = absorbedIn(chain, failed);
  const probabilities = transient(stopped, hours, options);
  return chain.states.reduce(
    (sum, state, index) => (failed(state) ? sum : sum + (probabilities[index] as number)),
    0,
  );
}

/** The chain that stops when it enters one of these states. */
function absorbedIn(chain: MarkovChain, stops: (state: ChainState) => boolean): MarkovChain {
  const arcs = chain.arcs.filter(({ from }) => !stops(chain.states[from] as ChainState));
  return { ...chain, arcs, dormant: [], recurrent: false };
}

/**
 * A test for the states of these names. Throws RMK_ERR_INPUT, and offers the nearest, for a name that the chain does
 * not have.
 */
export function statesNamed(chain: MarkovChain, names: readonly string[]): (state: ChainState) => boolean {
  const known = chain.states.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `there is no state "${unknown}"${suggestion(unknown, known.slice(0, 20))}`,
    );
  }
  const wanted = new Set(names);
  return ({ name }) => wanted.has(name);
}
