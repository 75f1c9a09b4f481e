import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildChain, type ChainDefinition } from '../src/chain/markovChain.js';
import { meanTimeTo, measure } from '../src/chain/measures.js';
import { complement, parameter, product } from '../src/chain/rate.js';
import { sensitivities } from '../src/chain/sensitivity.js';
import { chainFrom, irreducibleChains } from './chainFixtures.js';

const rates = fc.double({ min: 1e-6, max: 1e3, noNaN: true });

describe('availability and downtime', () => {
  it('of one repairable component are its closed forms', () => {
    fc.assert(
      fc.property(rates, rates, (failure, repair) => {
        const chain = buildChain(
          chainFrom(2, [
            [0, 1, failure],
            [1, 0, repair],
          ]),
          {},
        );
        const { availability, unavailability, downtimeMinutesPerYear } = measure(chain);
        expect(unavailability / (failure / (failure + repair))).toBeCloseTo(1, 13);
        expect(availability).toBeCloseTo(repair / (failure + repair), 14);
        expect(downtimeMinutesPerYear).toBeCloseTo(unavailability * 525_600, 6);
        expect(meanTimeTo(chain) * failure).toBeCloseTo(1, 13);
        const { probabilities } = measure(chain);
        expect(Object.keys(probabilities)).toEqual(['0', '1']);
        expect(probabilities['1']).toBe(unavailability);
        expect((probabilities['0'] ?? 0) + unavailability).toBeCloseTo(1, 14);
      }),
    );
  });
});

describe('the mean time to failure', () => {
  it('of two parallel components with one repair shop is (3 λ + μ) / (2 λ²)', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1, noNaN: true }), rates, (failure, repair) => {
        const arcs = [
          [0, 1, 2 * failure],
          [1, 0, repair],
          [1, 2, failure],
          [2, 1, repair],
        ] as const;
        const mttf = meanTimeTo(buildChain(chainFrom(3, arcs), {}));
        expect(mttf / ((3 * failure + repair) / (2 * failure * failure))).toBeCloseTo(1, 12);
      }),
    );
  });

  it('can be asked of any set of states, and is infinite for one that is never entered', () => {
    const chain = buildChain(
      chainFrom(3, [
        [0, 1, 2],
        [1, 2, 4],
        [2, 0, 1],
      ]),
      {},
    );
    expect(meanTimeTo(chain, ({ name }) => name === '1')).toBeCloseTo(0.5, 14);
    expect(meanTimeTo(chain, ({ name }) => name === '2')).toBeCloseTo(0.75, 14);
    expect(() => meanTimeTo(chain, () => false)).toThrow(/never enters/);
    expect(() => meanTimeTo(chain, () => true)).toThrow(/starts in the state/);
  });
});

/** The same chain with each rate a parameter of its own. */
function symbolic(definition: ChainDefinition): {
  definition: ChainDefinition;
  values: Record<string, number>;
} {
  const values: Record<string, number> = {};
  const transitions = definition.transitions.map((transition, index) => {
    const name = `q${index}`;
    values[name] = transition.rate.kind === 'number' ? transition.rate.value : 0;
    return { ...transition, rate: parameter(name) };
  });
  return { definition: { ...definition, transitions }, values };
}

describe('sensitivities', () => {
  it('to a probability of zero count the transition that it keeps from happening, or are left out with a dropped state', () => {
    const p = parameter('p');
    const definition = (probability: number): [ChainDefinition, Record<string, number>] => [
      {
        ...chainFrom(3, []),
        transitions: [
          { from: '0', to: '1', rate: complement(p), label: 'a' },
          { from: '0', to: '2', rate: p, label: 'b' },
          { from: '1', to: '0', rate: product(4), label: 'c' },
          { from: '1', to: '2', rate: product(1), label: 'd' },
          { from: '2', to: '0', rate: product(1), label: 'e' },
        ],
      },
      { p: probability },
    ];
    const at = (probability: number) => measure(buildChain(...definition(probability))).unavailability;
    const found = sensitivities(buildChain(...definition(0))).find(({ parameter: name }) => name === 'p');
    expect(found?.derivative).toBeCloseTo(-(at(1e-6) - at(0)) / 1e-6, 5);
    const [lone, values] = definition(0);
    const without = { ...lone, transitions: lone.transitions.filter(({ label }) => label !== 'd') };
    expect(sensitivities(buildChain(without, values, { dropUnreachable: true }))).toEqual([]);
  });

  it('are what finite differences give, for every rate', () => {
    fc.assert(
      fc.property(irreducibleChains, ({ size, arcs }) => {
        const { definition, values } = symbolic(chainFrom(size, arcs));
        for (const { parameter: name, value, derivative, downtimeElasticity } of sensitivities(
          buildChain(definition, values),
        )) {
          const at = (x: number) => measure(buildChain(definition, { ...values, [name]: x })).unavailability;
          const step = value * 1e-4;
          const difference = (at(value - step) - at(value + step)) / (2 * step);
          const unavailability = at(value);
          expect(Math.abs(derivative - difference) * value).toBeLessThan(1e-7 * unavailability);
          expect(downtimeElasticity).toBeCloseTo((-derivative * value) / unavailability, 12);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('of the downtime to all rates sum to zero, since faster clocks change no share of time', () => {
    fc.assert(
      fc.property(irreducibleChains, ({ size, arcs }) => {
        const { definition, values } = symbolic(chainFrom(size, arcs));
        const total = sensitivities(buildChain(definition, values)).reduce(
          (sum, each) => sum + each.downtimeElasticity,
          0,
        );
        expect(Math.abs(total)).toBeLessThan(1e-11);
      }),
    );
  });
});
