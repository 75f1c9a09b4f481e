import { Elimination } from './elimination.js';
import type { MarkovChain } from './markovChain.js';
import { unavailabilityOf } from './measures.js';
import { derivative, parametersOf } from './rate.js';

/** How the availability answers to a parameter of a chain. */
export interface Sensitivity {
  readonly parameter: string;
  readonly value: number;
  /** dA/dθ. */
  readonly derivative: number;
  /** (dU/dθ) (θ/U): by how many per cent the downtime changes when θ grows by one. */
  readonly downtimeElasticity: number;
}

/**
 * The derivatives of the mean reward A with respect to every parameter of the chain, exactly: with Q h = reward - A,
 * dA/dθ = - π (dQ/dθ) h, that is Σ over the transitions i → j of dq_ij/dθ · π_i (h_i - h_j). One elimination gives them
 * all.
 *
 * Left out are parameters at the edge of their range (a probability of zero) where the chain has lost a state that it
 * would have inside.
 */
export function sensitivities(chain: MarkovChain): readonly Sensitivity[] {
  const elimination = new Elimination(chain);
  const pi = elimination.steadyState();
  const unavailability = unavailabilityOf(chain, pi);
  // reward - A, written with 1 - reward and 1 - A, both of which are known to all digits.
  const deviation = Float64Array.from(chain.states, ({ reward }) => unavailability - (1 - reward));
  const h = elimination.solve(deviation);
  const names = [
    ...new Set([...chain.arcs, ...chain.dormant].flatMap(({ definition }) => parametersOf(definition.rate))),
  ];
  return names.flatMap((name) => {
    let slope = 0;
    for (const { from, to, definition } of [...chain.arcs, ...chain.dormant]) {
      const change = derivative(definition.rate, name, chain.values);
      if (change === 0) continue;
      if (to === undefined) return [];
      slope += change * (pi[from] as number) * ((h[from] as number) - (h[to] as number));
    }
    const value = chain.values[name] as number;
    return [
      { parameter: name, value, derivative: slope, downtimeElasticity: (-slope * value) / unavailability },
    ];
  });
}
