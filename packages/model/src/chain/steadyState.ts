import { LuDecomposition, Matrix } from 'ml-matrix';
import { ModelError } from '../errors.js';
import { Elimination } from './elimination.js';
import type { MarkovChain } from './markovChain.js';

/** The probability of each state in the long run, by GTH elimination: see {@link Elimination}. */
export function steadyState(chain: MarkovChain): Float64Array {
  return new Elimination(chain).steadyState();
}

/** Probabilities below this need not settle relative to themselves: some of them underflow. */
const NEGLIGIBLE = 1e-30;

/** Beyond this a dense factorisation takes more than seconds. */
const MAX_DENSE_STATES = 2000;

/**
 * The same by an LU factorisation of the balance equations (the library's, with partial pivoting), one of them replaced by Σ π = 1.
 * It is the paper's way (§5, "we use the mathematics tool package CLAPACK to solve these equations") and a check of the other one;
 * small probabilities lose digits in it.
 *
 * @throws ModelError for more than 2000 states.
 */
export function steadyStateByLu(chain: MarkovChain): Float64Array {
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
 * The same by Gauss and Seidel's iteration on the balance equations: needs no more room than the chain has transitions, but the
 * number of sweeps grows with how far the time scales lie apart.
 *
 * @throws ModelError when `sweeps` were not enough.
 */
export function steadyStateByIteration(
  chain: MarkovChain,
  { tolerance = 1e-12, sweeps: limit = 100_000 }: { tolerance?: number; sweeps?: number } = {},
): IteratedSteadyState {
  const n = chain.states.length;
  const incoming: { readonly from: number; readonly rate: number }[][] = Array.from({ length: n }, () => []);
  const exit = new Float64Array(n);
  for (const { from, to, rate } of chain.arcs) {
    incoming[to]?.push({ from, rate });
    exit[from] = (exit[from] as number) + rate;
  }
  const pi = new Float64Array(n).fill(1 / n);
  for (let sweep = 1; sweep <= limit; sweep++) {
    let change = 0;
    let total = 0;
    for (let index = 0; index < n; index++) {
      // Forwards and backwards in turn, so that probability travels both ways through the chain.
      const state = sweep % 2 === 0 ? index : n - 1 - index;
      let flow = 0;
      for (const { from, rate } of incoming[state] ?? []) flow += (pi[from] as number) * rate;
      const next = flow / (exit[state] as number);
      change = Math.max(change, Math.abs(next - (pi[state] as number)) / Math.max(next, NEGLIGIBLE));
      pi[state] = next;
      total += next;
    }
    for (let state = 0; state < n; state++) pi[state] = (pi[state] as number) / total;
    if (change <= tolerance) return { probabilities: pi, sweeps: sweep, change };
  }
  throw new ModelError(
    'RMK_ERR_NUMERIC',
    `the steady state of "${chain.name}" did not settle in ${limit} sweeps: its rates lie too far apart for an iteration`,
  );
}
