import * as fc from 'fast-check';
import type { ChainDefinition, MarkovChain } from '../src/chain/markovChain.js';

/** A chain from a list of [from, to, rate]; the last state is the only one that is down unless said otherwise. */
export function chainFrom(
  size: number,
  arcs: readonly (readonly [number, number, number])[],
  down: readonly number[] = [size - 1],
): ChainDefinition {
  return {
    name: 'a chain',
    initial: '0',
    states: Array.from({ length: size }, (_, state) => ({
      name: String(state),
      reward: down.includes(state) ? 0 : 1,
    })),
    transitions: arcs.map(([from, to, value]) => ({
      from: String(from),
      to: String(to),
      rate: { kind: 'number', value },
      label: `${from} to ${to}`,
    })),
  };
}

/**
 * Chains in which every state is reached: a ring through all states, and random transitions besides; rates are whole
 * numbers.
 */
export const irreducibleChains = fc
  .integer({ min: 2, max: 9 })
  .chain((size) =>
    fc.record({
      size: fc.constant(size),
      ring: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: size, maxLength: size }),
      others: fc.array(
        fc
          .tuple(fc.nat(size - 1), fc.nat(size - 1), fc.integer({ min: 1, max: 1000 }))
          .filter(([from, to]) => from !== to),
        { maxLength: 20 },
      ),
    }),
  )
  .map(({ size, ring, others }) => ({
    size,
    arcs: [...ring.map((rate, state) => [state, (state + 1) % size, rate] as const), ...others],
  }));

/**
 * How far the flows into and out of a state are apart, at most, relative to the flow: an oracle that needs no other
 * solver.
 */
export function imbalance(chain: MarkovChain, pi: Float64Array): number {
  const flow = new Float64Array(pi.length);
  const through = new Float64Array(pi.length);
  for (const { from, to, rate } of chain.arcs) {
    const amount = (pi[from] as number) * rate;
    flow[from] = (flow[from] as number) - amount;
    flow[to] = (flow[to] as number) + amount;
    through[from] = (through[from] as number) + amount;
  }
  return flow.reduce((most, f, i) => Math.max(most, Math.abs(f) / (through[i] as number)), 0);
}
