import { LuDecomposition, Matrix } from 'ml-matrix';
import { ModelError } from '../errors.js';
import { components, graphOf } from './components.js';
import { Elimination } from './elimination.js';
import { type MarkovChain, requireRecurrent } from './markovChain.js';

/** The probability of each state in the long run, by GTH elimination: see {@link Elimination}. */
export function steadyState(chain: MarkovChain): Float64Array {
  return new Elimination(chain).steadyState();
}

/** Probabilities below this need not settle relative to themselves: some of them underflow. */
const NEGLIGIBLE = 1e-30;

/** Beyond this a dense factorisation takes more than seconds. */
const MAX_DENSE_STATES = 2000;

/**
 * The same by an LU factorisation of the balance equations (the library's, with partial pivoting), one of them replaced
 * by Σ π = 1. It is the paper's way (§5, "we use the mathematics tool package CLAPACK to solve these equations") and a
 * check of the other one; small probabilities lose digits in it.
 *
 * Throws RMK_ERR_INPUT for more than 2000 states.
 */
export function steadyStateByLu(chain: MarkovChain): Float64Array {
  requireRecurrent(chain);
  const n = chain.states.length;
  if (n > MAX_DENSE_STATES) {
    throw new ModelError(
      'RMK_ERR_NUMERIC',
      `an LU solve of ${n} states is too large: ${MAX_DENSE_STATES} at most`,
    );
  }
  const equations = Matrix.zeros(n, n);
  for (const { from, to, rate } of chain.arcs) {
    equations.set(to, from, equations.get(to, from) + rate);
    equations.set(from, from, equations.get(from, from) - rate);
  }
  // Each equation scaled to its diagonal; the last replaced.
  for (let row = 0; row < n; row++) equations.mulRow(row, -1 / equations.get(row, row));
  equations.setRow(
    n - 1,
    Array.from({ length: n }, () => 1),
  );
  const right = Matrix.zeros(n, 1);
  right.set(n - 1, 0, 1);
  return Float64Array.from(new LuDecomposition(equations).solve(right).to1DArray());
}

export interface IteratedSteadyState {
  readonly probabilities: Float64Array;
  readonly sweeps: number;
  /** The largest change of a probability in the last sweep, relative to itself. */
  readonly change: number;
}

/**
 * Arcs below such a share of their state's exit rate hold a chain together too weakly for sweeps to carry probability
 * across.
 */
const WEAK = [1e-2, 1e-4, 1e-6, 1e-9];
/** More clusters than these take too long to solve in each sweep. */
const MOST_CLUSTERS = 200;
/** Sweeps over which the slowest decay is judged. */
const LOOKBACK = 16;

/**
 * The same by Gauss and Seidel's iteration on the balance equations: needs no more room than the chain has transitions,
 * but the number of sweeps grows with how far the time scales lie apart.
 *
 * A chain that falls into clusters, coupled by rates far below the others, is not left to the sweeps: after each of
 * them the clusters are weighted as the chain of clusters says (Koury, McAllister and Stewart's aggregation). The
 * iteration ends when the change of a sweep, and all changes that its rate of decay lets expect, are below the
 * tolerance.
 *
 * Throws RMK_ERR_NUMERIC if `sweeps` were not enough.
 */
export function steadyStateByIteration(
  chain: MarkovChain,
  { tolerance = 1e-12, sweeps: limit = 100_000 }: { tolerance?: number; sweeps?: number } = {},
): IteratedSteadyState {
  requireRecurrent(chain);
  const n = chain.states.length;
  const incoming: { readonly from: number; readonly rate: number }[][] = Array.from({ length: n }, () => []);
  const exit = new Float64Array(n);
  for (const { from, to, rate } of chain.arcs) {
    incoming[to]?.push({ from, rate });
    exit[from] = (exit[from] as number) + rate;
  }
  const clusters = clustersOf(chain, exit);
  const pi = new Float64Array(n).fill(1 / n);
  const before = new Float64Array(n);
  const changes: number[] = [];
  for (let sweep = 1; sweep <= limit; sweep++) {
    before.set(pi);
    if (clusters !== undefined) weighClusters(chain, clusters, pi);
    let total = 0;
    for (let index = 0; index < n; index++) {
      // Forwards and backwards in turn, so that probability travels both ways through the chain.
      const state = sweep % 2 === 0 ? index : n - 1 - index;
      let flow = 0;
      for (const { from, rate } of incoming[state] ?? []) flow += (pi[from] as number) * rate;
      const next = flow / (exit[state] as number);
      pi[state] = next;
      total += next;
    }
    let change = 0;
    for (let state = 0; state < n; state++) {
      const next = (pi[state] as number) / total;
      change = Math.max(change, Math.abs(next - (before[state] as number)) / Math.max(next, NEGLIGIBLE));
      pi[state] = next;
    }
    changes.push(change);
    if (change <= tolerance && (changeToCome(changes) <= tolerance || change <= ROUNDING)) {
      return { probabilities: pi, sweeps: sweep, change };
    }
  }
  throw new ModelError(
    'RMK_ERR_NUMERIC',
    `the steady state of "${chain.name}" did not settle in ${limit} sweeps: its rates lie too far apart for an iteration`,
  );
}

/** A change of this size is rounding. */
const ROUNDING = 64 * Number.EPSILON;

/** The clusters that the chain falls into without its weak arcs, for the first meaning of weak that gives a few. */
function clustersOf(chain: MarkovChain, exit: Float64Array): ReturnType<typeof components> | undefined {
  for (const weak of WEAK) {
    const strong = chain.arcs.filter(({ from, rate }) => rate >= weak * (exit[from] as number));
    const found = components(graphOf(chain.states.length, strong));
    if (found.count > 1 && found.count <= MOST_CLUSTERS) return found;
  }
  return undefined;
}

/** The sum of the changes to come, if they go on decaying as they did over the last sweeps. */
function changeToCome(changes: readonly number[]): number {
  const last = changes.at(-1) as number;
  const earlier = changes.at(-1 - LOOKBACK);
  if (earlier === undefined) return Infinity;
  const decay = (last / earlier) ** (1 / LOOKBACK);
  return decay < 1 ? (last * decay) / (1 - decay) : Infinity;
}

/**
 * Gives each cluster the probability that it has in the chain of clusters, whose rates are means over the states
 * within.
 */
function weighClusters(
  chain: MarkovChain,
  { of, count }: ReturnType<typeof components>,
  pi: Float64Array,
): void {
  const weights = new Float64Array(count);
  for (let state = 0; state < pi.length; state++) {
    const cluster = of[state] as number;
    weights[cluster] = (weights[cluster] as number) + (pi[state] as number);
  }
  const arcs = chain.arcs.flatMap((arc) => {
    const [from, to] = [of[arc.from] as number, of[arc.to] as number];
    const share = (pi[arc.from] as number) / (weights[from] as number);
    return from === to || !(share > 0) ? [] : [{ ...arc, from, to, rate: arc.rate * share }];
  });
  const states = Array.from({ length: count }, (_, i) => ({ name: String(i), reward: 1 }));
  const initial = of[chain.initial] as number;
  const solved = steadyState({ ...chain, states, arcs, dormant: [], initial, recurrent: true });
  for (let state = 0; state < pi.length; state++) {
    const cluster = of[state] as number;
    pi[state] = ((pi[state] as number) * (solved[cluster] as number)) / (weights[cluster] as number);
  }
}
