import { ModelError, requirePositive } from '../errors.js';
import { logGamma } from '../numerics/incompleteGamma.js';
import type { MarkovChain } from './markovChain.js';

export interface TransientOptions {
  /** The probability that may be lost in the truncated Poisson series. */
  readonly tolerance?: number;
  /**
   * The steady state, where it is known. The distance to it never grows from step to step, so the series may stop as soon as it
   * is below the tolerance; without this all of q t steps are made.
   */
  readonly steadyState?: Float64Array;
}

/** Multiplications at most: about ten seconds. */
const MAX_WORK = 4e9;

/**
 * The probability of each state after `hours`, from the initial state, by uniformisation: π(t) = Σ_n Poisson(n; q t) π(0) Pⁿ with
 * q the largest exit rate and P = I + Q / q. Only non-negative numbers are added.
 *
 * @throws ModelError for a time that is negative or no number, or one that needs more steps than a machine does in seconds.
 */
export function transient(chain: MarkovChain, hours: number, options: TransientOptions = {}): Float64Array {
  const n = chain.states.length;
  let current = new Float64Array(n);
  current[chain.initial] = 1;
  if (hours === 0) return current;
  requirePositive('the time (hours)', hours);
  const { tolerance = 1e-12, steadyState } = options;
  const exit = new Float64Array(n);
  for (const { from, rate } of chain.arcs) exit[from] = (exit[from] as number) + rate;
  const q = exit.reduce((largest, rate) => Math.max(largest, rate), 0);
  if (q === 0) return current;
  const { first, weights } = poissonWeights(q * hours, tolerance);
  const steps = first + weights.length - 1;
  const arcs = chain.arcs.length;
  if (steadyState === undefined && steps * (arcs + n) > MAX_WORK) {
    throw tooLong(chain, hours);
  }
  const from = Int32Array.from(chain.arcs, (arc) => arc.from);
  const to = Int32Array.from(chain.arcs, (arc) => arc.to);
  const probability = Float64Array.from(chain.arcs, (arc) => arc.rate / q);
  const stay = exit.map((rate) => 1 - rate / q);
  const result = new Float64Array(n);
  let next = new Float64Array(n);
  let weightLeft = 1;
  for (let step = 0; step <= steps; step++) {
    const weight = step < first ? 0 : (weights[step - first] as number);
    if (weight > 0) {
      for (let state = 0; state < n; state++) {
        result[state] = (result[state] as number) + weight * (current[state] as number);
      }
      weightLeft -= weight;
    }
    if (step * (arcs + n) > MAX_WORK) throw tooLong(chain, hours);
    if (steadyState !== undefined && step % 64 === 0 && distance(current, steadyState) <= tolerance) {
      return result.map((p, state) => p + Math.max(0, weightLeft) * (steadyState[state] as number));
    }
    for (let state = 0; state < n; state++)
      next[state] = (current[state] as number) * (stay[state] as number);
    for (let arc = 0; arc < arcs; arc++) {
      const target = to[arc] as number;
      next[target] =
        (next[target] as number) + (current[from[arc] as number] as number) * (probability[arc] as number);
    }
    [current, next] = [next, current];
  }
  return result;
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

/**
 * The Poisson probabilities of mean `mean` from `first` on, but for tails of together at most `tolerance`, normalised to sum 1. The
 * ends come from Chernoff's bound; the weights are built outwards from the mode, so that none underflows before it is negligible.
 */
export function poissonWeights(
  mean: number,
  tolerance: number,
): { readonly first: number; readonly weights: Float64Array } {
  const bound = Math.log(2 / tolerance);
  const reach = bound / 3 + Math.sqrt((bound * bound) / 9 + 2 * mean * bound);
  const mode = Math.floor(mean);
  const first = Math.max(0, Math.floor(mean - reach));
  const last = Math.ceil(mean + reach);
  const weights = new Float64Array(last - first + 1);
  weights[mode - first] = Math.exp(mode * Math.log(mean) - mean - logGamma(mode + 1));
  for (let n = mode; n > first; n--) weights[n - 1 - first] = ((weights[n - first] as number) * n) / mean;
  for (let n = mode; n < last; n++)
    weights[n + 1 - first] = ((weights[n - first] as number) * mean) / (n + 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { first, weights: weights.map((weight) => weight / total) };
}
