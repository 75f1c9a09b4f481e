import { ModelError, suggestion } from '../errors.js';
import { evaluate, formatRate, type ParameterValues, type Rate } from './rate.js';

export interface ChainState {
  readonly name: string;
  /**
   * What the state is worth: 1 where the service is up, 0 where it is down; a share where some of several VMs are up.
   */
  readonly reward: number;
}

export interface ChainTransition {
  readonly from: string;
  readonly to: string;
  readonly rate: Rate;
  /** What happens. */
  readonly label: string;
  /** What the transition rests on: a sentence of the paper, or what was assumed. */
  readonly source?: string;
}

/** A continuous-time Markov chain as it is drawn: states, labelled transitions, rates as symbols. */
export interface ChainDefinition {
  readonly name: string;
  readonly states: readonly ChainState[];
  readonly transitions: readonly ChainTransition[];
  /** The state that the system starts in. */
  readonly initial: string;
}

/** A transition with its numbers. */
export interface ChainArc {
  readonly from: number;
  readonly to: number;
  /** Per hour, above zero. */
  readonly rate: number;
  readonly definition: ChainTransition;
}

export interface DormantArc {
  readonly from: number;
  readonly to: number | undefined;
  readonly definition: ChainTransition;
}

/**
 * A chain with numbers for its rates. States that cannot be reached with these numbers are refused or dropped, never
 * kept.
 */
export interface MarkovChain {
  readonly name: string;
  readonly states: readonly ChainState[];
  /** The transitions that happen. */
  readonly arcs: readonly ChainArc[];
  /**
   * The transitions whose rate is zero with these numbers, but would not be with others; `to` is undefined for a
   * dropped state.
   */
  readonly dormant: readonly DormantArc[];
  readonly initial: number;
  readonly values: ParameterValues;
  /**
   * Whether the initial state can be reached again from every state, so that there is one steady state in which every
   * state counts.
   */
  readonly recurrent: boolean;
}

export interface BuildOptions {
  /** Drop the states that cannot be reached, as when a probability is zero, rather than refuse them. Default: false. */
  readonly dropUnreachable?: boolean;
  /** Accept states that the chain cannot leave for good. Such a chain has no steady state. Default: false. */
  readonly absorbing?: boolean;
}

/**
 * Puts numbers on the rates of a chain, and checks it.
 *
 * Throws RMK_ERR_CHAIN, and names the state, for a rate that is negative, infinite or not a number, a reward outside 0
 * to 1, an unknown or duplicate state, a state that cannot be reached, and one from which there is no way back, unless
 * `absorbing` is set.
 */
export function buildChain(
  definition: ChainDefinition,
  values: ParameterValues,
  { dropUnreachable = false, absorbing = false }: BuildOptions = {},
): MarkovChain {
  const indices = new Map<string, number>();
  for (const [index, { name, reward }] of definition.states.entries()) {
    if (indices.has(name)) refuse(definition, `the state "${name}" is defined twice`);
    if (!(reward >= 0 && reward <= 1)) {
      refuse(
        definition,
        `the reward of the state "${name}" is ${reward}: it is the share that is up, from 0 to 1`,
      );
    }
    indices.set(name, index);
  }
  const indexOf = (name: string): number => {
    const index = indices.get(name);
    if (index === undefined) {
      return refuse(definition, `there is no state "${name}"${suggestion(name, [...indices.keys()])}`);
    }
    return index;
  };
  const arcs: ChainArc[] = [];
  const dormant: DormantArc[] = [];
  for (const transition of definition.transitions) {
    const [from, to] = [indexOf(transition.from), indexOf(transition.to)];
    const rate = evaluate(transition.rate, values);
    const where = `the rate ${formatRate(transition.rate)} from state "${transition.from}" to "${transition.to}"`;
    if (!(rate >= 0 && rate < Infinity))
      refuse(definition, `${where} is ${rate}: a rate is a number from zero up`);
    if (from === to)
      refuse(definition, `${where} leads back to its own state, which changes nothing in continuous time`);
    if (rate > 0) arcs.push({ from, to, rate, definition: transition });
    else dormant.push({ from, to, definition: transition });
  }
  const initial = indexOf(definition.initial);
  const chain: MarkovChain = {
    name: definition.name,
    states: definition.states,
    arcs,
    dormant,
    initial,
    values,
    recurrent: true,
  };
  const reached = reach(chain, 'forwards');
  const unreached = reached.indexOf(0);
  if (unreached >= 0 && !dropUnreachable) {
    const state = (definition.states[unreached] as ChainState).name;
    refuse(definition, `the state "${state}" cannot be reached from "${definition.initial}"`);
  }
  const kept = unreached < 0 ? chain : restrict(chain, reached);
  const closed = reach(kept, 'backwards').indexOf(0);
  if (closed >= 0 && absorbing) return { ...kept, recurrent: false };
  if (closed >= 0) {
    const state = (kept.states[closed] as ChainState).name;
    const why = kept.arcs.some(({ from }) => from === closed)
      ? `"${definition.initial}" cannot be reached again from it`
      : 'no transition leaves it';
    refuse(
      definition,
      `the state "${state}" is absorbing: ${why}, so there is no steady state. Build it with { absorbing: true } for its reliability and mean times`,
    );
  }
  return kept;
}

/** Throws RMK_ERR_CHAIN for a chain with absorbing states, which has no steady state. */
export function requireRecurrent({ recurrent, name }: MarkovChain): void {
  if (recurrent) return;
  throw new ModelError(
    'RMK_ERR_CHAIN',
    `"${name}" has absorbing states, so it has no steady state. Ask for its long run, its reliability or its mean times.`,
  );
}

function refuse(definition: ChainDefinition, problem: string): never {
  throw new ModelError('RMK_ERR_CHAIN', `the chain "${definition.name}": ${problem}`);
}

/** 1 for each state that can be reached from the initial one (or from which that one can be reached), else 0. */
function reach(chain: MarkovChain, direction: 'forwards' | 'backwards'): Uint8Array {
  const next: number[][] = chain.states.map(() => []);
  for (const { from, to } of chain.arcs) {
    if (direction === 'forwards') next[from]?.push(to);
    else next[to]?.push(from);
  }
  const seen = new Uint8Array(chain.states.length);
  const todo = [chain.initial];
  seen[chain.initial] = 1;
  for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
    for (const other of next[state] ?? []) {
      if (seen[other] === 0) {
        seen[other] = 1;
        todo.push(other);
      }
    }
  }
  return seen;
}

function restrict(chain: MarkovChain, kept: Uint8Array): MarkovChain {
  const renumbered = new Map<number, number>();
  const states = chain.states.filter((_, index) => {
    if (kept[index] === 1) renumbered.set(index, renumbered.size);
    return kept[index] === 1;
  });
  const arcs = chain.arcs.flatMap((arc) => {
    const from = renumbered.get(arc.from);
    const to = renumbered.get(arc.to);
    return from === undefined || to === undefined ? [] : [{ ...arc, from, to }];
  });
  const dormant = chain.dormant.flatMap((arc) => {
    const from = renumbered.get(arc.from);
    return from === undefined
      ? []
      : [{ ...arc, from, to: arc.to === undefined ? undefined : renumbered.get(arc.to) }];
  });
  return { ...chain, states, arcs, dormant, initial: renumbered.get(chain.initial) ?? 0 };
}
