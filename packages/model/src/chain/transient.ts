import type { MarkovChain } from './markovChain.js';
import { type TransientOptions, uniformise } from './uniformisation.js';

/**
 * The probability of each state after `hours`, from the initial state, by uniformisation: π(t) = Σ_n Poisson(n; q t)
 * π(0) Pⁿ with q the largest exit rate and P = I + Q / q. Only non-negative numbers are added.
 *
 * Throws RMK_ERR_INPUT for a time that is negative or not a number, and RMK_ERR_NUMERIC for one that needs more steps
 * than a machine does in seconds.
 */
export function transient(chain: MarkovChain, hours: number, options: TransientOptions = {}): Float64Array {
  const result = new Float64Array(chain.states.length);
  const steps = hours === 0 ? undefined : uniformise(chain, hours, options);
  if (steps === undefined) {
    result[chain.initial] = 1;
    return result;
  }
  let weightLeft = 1;
  const { first, weights, walk } = steps;
  const visited = walk((step, distribution) => {
    const weight = step < first ? 0 : (weights[step - first] as number);
    if (weight === 0) return;
    for (let state = 0; state < result.length; state++) {
      result[state] = (result[state] as number) + weight * (distribution[state] as number);
    }
    weightLeft -= weight;
  });
  const { steadyState } = options;
  if (steadyState === undefined || visited === first + weights.length) return result;
  return result.map((p, state) => p + Math.max(0, weightLeft) * (steadyState[state] as number));
}

/**
 * The mean reward over [0, `hours`], from the initial state: the interval availability where rewards are 0 and 1. By
 * uniformisation: (1 / (q t)) Σ_n P(N > n) π(0) Pⁿ r, with N the Poisson number of steps.
 *
 * Throws RMK_ERR_INPUT and RMK_ERR_NUMERIC as {@link transient}.
 */
export function intervalAvailability(
  chain: MarkovChain,
  hours: number,
  options: TransientOptions = {},
): number {
  const down = (distribution: Float64Array) =>
    chain.states.reduce((sum, { reward }, state) => sum + (distribution[state] as number) * (1 - reward), 0);
  const steps = uniformise(chain, hours, options);
  if (steps === undefined) return chain.states[chain.initial]?.reward ?? 0;
  const { meanSteps, first, weights, walk } = steps;
  // P(N > n), summed from the far end.
  const beyond = new Float64Array(weights.length);
  for (let i = weights.length - 2; i >= 0; i--)
    beyond[i] = (beyond[i + 1] as number) + (weights[i + 1] as number);
  let [total, spent] = [0, 0];
  walk((step, distribution) => {
    const weight = step < first ? 1 : (beyond[step - first] as number);
    total += weight * down(distribution);
    spent += weight;
  });
  const { steadyState } = options;
  const rest = steadyState === undefined ? 0 : Math.max(0, meanSteps - spent) * down(steadyState);
  return 1 - (total + rest) / meanSteps;
}
