import type { MarkovChain } from './markovChain.js';
import { poissonWeights } from './poisson.js';
import { ModelError, requirePositive } from '../errors.js';

export interface TransientOptions {
  /** The probability that may be lost in the truncated Poisson series. */
  readonly tolerance?: number;
  /**
   * The steady state, where it is known. The distance to it never grows from step to step, so the series may stop as
   * soon as it is below the tolerance; without this all of q t steps are made.
   */
  readonly steadyState?: Float64Array;
}

/** Multiplications at most: about ten seconds. */
const MAX_WORK = 4e9;

/** The steps of a uniformised chain: its distribution after n steps of P = I + Q / q, for n = 0, 1, ... */
export interface Uniformisation {
  /** q t, the mean number of steps. */
  readonly meanSteps: number;
  /** The first step with a weight, and the Poisson weights from it on. */
  readonly first: number;
  readonly weights: Float64Array;
  /**
   * Calls `visit` with each step and the distribution there, up to the last weight or until the distribution is the
   * steady state. Returns the steps that were visited.
   */
  readonly walk: (visit: (step: number, distribution: Float64Array) => void) => number;
}

/**
 * The uniformised chain over `hours`. Undefined where nothing ever happens.
 *
 * Throws RMK_ERR_INPUT for a time that is not above zero, and RMK_ERR_NUMERIC for one that needs more steps than a
 * machine does in seconds.
 */
export function uniformise(
  chain: MarkovChain,
  hours: number,
  options: TransientOptions,
): Uniformisation | undefined {
  requirePositive('the time (hours)', hours);
  const { tolerance = 1e-12, steadyState } = options;
  const n = chain.states.length;
  const exit = new Float64Array(n);
  for (const { from, rate } of chain.arcs) exit[from] = (exit[from] as number) + rate;
  const q = exit.reduce((largest, rate) => Math.max(largest, rate), 0);
  // A product of two tiny numbers may underflow.
  if (q * hours === 0) return undefined;
  const { first, weights } = poissonWeights(q * hours, tolerance);
  const last = first + weights.length - 1;
  const arcs = chain.arcs.length;
  if (steadyState === undefined && last * (arcs + n) > MAX_WORK) throw tooLong(chain, hours);
  const from = Int32Array.from(chain.arcs, (arc) => arc.from);
  const to = Int32Array.from(chain.arcs, (arc) => arc.to);
  const probability = Float64Array.from(chain.arcs, (arc) => arc.rate / q);
  const stay = exit.map((rate) => 1 - rate / q);
  const walk = (visit: (step: number, distribution: Float64Array) => void): number => {
    let current = new Float64Array(n);
    current[chain.initial] = 1;
    let next = new Float64Array(n);
    for (let step = 0; step <= last; step++) {
      visit(step, current);
      if (step * (arcs + n) > MAX_WORK) throw tooLong(chain, hours);
      if (steadyState !== undefined && step % 64 === 0 && distance(current, steadyState) <= tolerance)
        return step + 1;
      for (let state = 0; state < n; state++)
        next[state] = (current[state] as number) * (stay[state] as number);
      for (let arc = 0; arc < arcs; arc++) {
        const target = to[arc] as number;
        next[target] =
          (next[target] as number) + (current[from[arc] as number] as number) * (probability[arc] as number);
      }
      [current, next] = [next, current];
    }
    return last + 1;
  };
  return { meanSteps: q * hours, first, weights, walk };
}

function tooLong(chain: MarkovChain, hours: number): ModelError {
  return new ModelError(
    'RMK_ERR_NUMERIC',
    `${hours} h of "${chain.name}" are too many steps of uniformisation; ask for a shorter time, or for the steady state`,
  );
}

function distance(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += Math.abs((a[i] as number) - (b[i] as number));
  return total;
}
