import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildChain } from '../src/chain/markovChain.js';
import { steadyState } from '../src/chain/steadyState.js';
import { poissonWeights } from '../src/chain/poisson.js';
import { transient } from '../src/chain/transient.js';
import { chainFrom, irreducibleChains } from './chainFixtures.js';
import { uniform } from './generators.js';

describe('uniformisation', () => {
  it('gives the closed form of two states', () => {
    const rates = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(rates, rates, uniform(0, 30), (up, down, t) => {
        const pi = transient(
          buildChain(
            chainFrom(2, [
              [0, 1, up],
              [1, 0, down],
            ]),
            {},
          ),
          t,
        );
        expect(pi[1]).toBeCloseTo((up / (up + down)) * -Math.expm1(-(up + down) * t), 11);
      }),
    );
  });

  it('follows its own past: t in one step is t in two', () => {
    fc.assert(
      fc.property(
        irreducibleChains,
        fc.double({ min: 1e-4, max: 0.05, noNaN: true }),
        ({ size, arcs }, t) => {
          const definition = chainFrom(size, arcs);
          const direct = transient(buildChain(definition, {}), 2 * t);
          const half = transient(buildChain(definition, {}), t);
          const composed = new Float64Array(size);
          for (let start = 0; start < size; start++) {
            const from = transient(buildChain({ ...definition, initial: String(start) }, {}), t);
            for (let state = 0; state < size; state++) {
              composed[state] =
                (composed[state] as number) + (half[start] as number) * (from[state] as number);
            }
          }
          for (let state = 0; state < size; state++)
            expect(composed[state]).toBeCloseTo(direct[state] as number, 11);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('may stop early when the steady state is known, with the same result', () => {
    fc.assert(
      fc.property(irreducibleChains, ({ size, arcs }) => {
        const chain = buildChain(chainFrom(size, arcs), {});
        const limit = steadyState(chain);
        const all = transient(chain, 20);
        const early = transient(chain, 20, { steadyState: limit });
        for (let state = 0; state < size; state++) expect(early[state]).toBeCloseTo(all[state] as number, 10);
      }),
      { numRuns: 30 },
    );
  });

  it('starts where the chain starts, and refuses times that are none', () => {
    const chain = buildChain(
      chainFrom(2, [
        [0, 1, 1],
        [1, 0, 1],
      ]),
      {},
    );
    expect([...transient(chain, 0)]).toEqual([1, 0]);
    expect(() => transient(chain, -1)).toThrow(/RMK_ERR_INPUT/);
    expect(() => transient(chain, Number.NaN)).toThrow(/RMK_ERR_INPUT/);
    expect(() => transient(chain, 1e12)).toThrow(/RMK_ERR_NUMERIC.*steps of uniformisation/);
  });

  it('uses Poisson weights of any mean', () => {
    for (const mean of [1e-9, 0.3, 7, 1e3, 1e7]) {
      const { first, weights } = poissonWeights(mean, 1e-12);
      expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 12);
      const average = weights.reduce((total, weight, i) => total + weight * (first + i), 0);
      expect(average / mean).toBeCloseTo(1, 9);
    }
  });
});
