import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { components, graphOf } from '../src/chain/components.js';
import { longRun, reliability, statesNamed } from '../src/chain/longRun.js';
import { buildChain } from '../src/chain/markovChain.js';
import { meanTimeTo, measure } from '../src/chain/measures.js';
import { simulateChain } from '../src/chain/simulation.js';
import { steadyState, steadyStateByIteration, steadyStateByLu } from '../src/chain/steadyState.js';
import { intervalAvailability, transient } from '../src/chain/transient.js';
import { chainFrom, irreducibleChains } from './chainFixtures.js';
import { uniform } from './generators.js';

type Arcs = readonly (readonly [number, number, number])[];
const absorbing = (size: number, arcs: Arcs, down: readonly number[] = [size - 1]) =>
  buildChain(chainFrom(size, arcs, down), {}, { absorbing: true });

describe('strongly connected components', () => {
  it('are the classes of states that reach each other, numbered against the arcs', () => {
    const arcs = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 20 });
    fc.assert(
      fc.property(arcs, (pairs) => {
        const graph = graphOf(
          8,
          pairs.map(([from, to]) => ({ from, to })),
        );
        // Warshall's closure.
        const reach = Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_each, j) => i === j));
        for (const [from, to] of pairs) (reach[from] as boolean[])[to] = true;
        for (let k = 0; k < 8; k++)
          for (let i = 0; i < 8; i++)
            for (let j = 0; j < 8; j++)
              (reach[i] as boolean[])[j] ||= Boolean(reach[i]?.[k] && reach[k]?.[j]);
        const { of, count } = components(graph);
        expect(new Set(of).size).toBe(count);
        for (let i = 0; i < 8; i++) {
          for (let j = 0; j < 8; j++) {
            expect(of[i] === of[j]).toBe(reach[i]?.[j] === true && reach[j]?.[i] === true);
            if (reach[i]?.[j] === true) expect(of[i]).toBeGreaterThanOrEqual(of[j] as number);
          }
        }
      }),
    );
  });
});

describe('a chain with absorbing states', () => {
  // 0 up, 1 degraded, 2 failed safely, 3 failed unsafely.
  const arcs = [
    [0, 1, 2],
    [1, 0, 5],
    [1, 2, 3],
    [1, 3, 0.5],
    [0, 3, 0.1],
  ] as const;
  const chain = absorbing(4, arcs, [2, 3]);

  it('is accepted where it is asked for, and has no steady state', () => {
    expect(() => buildChain(chainFrom(4, arcs), {})).toThrow(/state "2" is absorbing.*absorbing: true/);
    for (const solve of [steadyState, steadyStateByLu, steadyStateByIteration, measure]) {
      expect(() => solve(chain)).toThrow(/RMK_ERR_CHAIN.*no steady state.*long run/);
    }
    expect(() => simulateChain(chain, { cycles: 2 })).toThrow(/no steady state/);
  });

  it('ends in each of them as the equations of first steps say', () => {
    // u0 = (2 u1 + 0.1 c) / 2.1 and u1 = (5 u0 + 3 a + 0.5 c) / 8.5, for "safely" a = 1 and c = 0.
    const safely = ((2 / 2.1) * (3 / 8.5)) / (1 - ((2 / 2.1) * 5) / 8.5);
    const { classes, probabilities, meanTimeToAbsorptionHours } = longRun(chain);
    expect(
      new Map(classes.map(({ states, probability }) => [states.join(), probability])).get('2'),
    ).toBeCloseTo(safely, 13);
    expect([...probabilities]).toEqual([0, 0, expect.closeTo(safely, 13), expect.closeTo(1 - safely, 13)]);
    // t0 = 1 / 2.1 + (2 / 2.1) t1, t1 = 1 / 8.5 + (5 / 8.5) t0.
    const mean = (1 / 2.1 + 2 / 2.1 / 8.5) / (1 - ((2 / 2.1) * 5) / 8.5);
    expect(meanTimeToAbsorptionHours).toBeCloseTo(mean, 12);
    expect(meanTimeTo(chain)).toBeCloseTo(mean, 12);
  });

  it('has a reliability that is the survival of the first failure, and whose integral is the mean time to it', () => {
    expect(reliability(chain, 0)).toBe(1);
    const step = 0.01;
    let integral = 0;
    for (let i = 0; i < 4000; i++) {
      const [a, b, c] = [i, i + 0.5, i + 1].map((at) => reliability(chain, at * step)) as [
        number,
        number,
        number,
      ];
      integral += (step / 6) * (a + 4 * b + c);
      if (i > 1500) break;
    }
    // What is left decays exponentially.
    expect(integral).toBeCloseTo(meanTimeTo(chain), 3);
  });

  it('that may end elsewhere never has a mean time to one of its ends', () => {
    expect(() => meanTimeTo(chain, ({ name }) => name === '3')).toThrow(
      /RMK_ERR_CHAIN.*can end elsewhere.*mean time to it is infinite/,
    );
    expect(reliability(chain, 1000, ({ name }) => name === '3')).toBeCloseTo(
      longRun(chain).probabilities[2] as number,
      10,
    );
  });

  it('has a reliability in closed form where one state leads to one: R(t) = e^(-λ t)', () => {
    const one = absorbing(2, [[0, 1, 0.25]]);
    for (const t of [0.1, 1, 7]) expect(reliability(one, t)).toBeCloseTo(Math.exp(-0.25 * t), 12);
    expect(longRun(one)).toMatchObject({
      meanTimeToAbsorptionHours: 4,
      classes: [{ states: ['1'], probability: 1 }],
    });
  });

  it('of a repairable system counts the first failure alone', () => {
    const repaired = buildChain(
      chainFrom(2, [
        [0, 1, 0.25],
        [1, 0, 3],
      ]),
      {},
    );
    expect(reliability(repaired, 2)).toBeCloseTo(Math.exp(-0.5), 12);
    expect(reliability(repaired, 2, ({ name }) => name === 'nowhere')).toBeCloseTo(1, 12);
  });

  it('may end in a class of several states, among which it goes on', () => {
    const classes = absorbing(
      5,
      [
        [0, 1, 1],
        [0, 3, 3],
        [1, 2, 2],
        [2, 1, 6],
        [3, 4, 1],
        [4, 3, 1],
      ],
      [],
    );
    const { classes: found, probabilities } = longRun(classes);
    expect(found.map(({ states }) => states.toSorted().join()).toSorted()).toEqual(['1,2', '3,4']);
    expect([...probabilities].map((p) => Number(p.toFixed(12)))).toEqual([0, 0.1875, 0.0625, 0.375, 0.375]);
  });

  it('is where a long time leads to, and the steady state where there is one', () => {
    fc.assert(
      fc.property(irreducibleChains, ({ size, arcs: ring }) => {
        const whole = buildChain(chainFrom(size, ring), {});
        const { probabilities, classes, meanTimeToAbsorptionHours } = longRun(whole);
        expect(classes).toHaveLength(1);
        expect(meanTimeToAbsorptionHours).toBe(0);
        for (const [state, p] of steadyState(whole).entries())
          expect(probabilities[state]).toBeCloseTo(p, 12);
        const ends = [size - 1, size];
        const stopped = absorbing(size + 1, [...ring.filter(([from]) => from !== size - 1), [0, size, 5]]);
        // What is absorbed by a time stays absorbed, and what is not may still go to either end.
        const atEnd = longRun(stopped).probabilities;
        const early = transient(stopped, 100);
        const absorbed = ends.reduce((sum, end) => sum + (early[end] ?? 0), 0);
        for (const end of ends) {
          expect(atEnd[end]).toBeGreaterThan((early[end] ?? 0) - 1e-9);
          expect(atEnd[end]).toBeLessThan((early[end] ?? 0) + (1 - absorbed) + 1e-9);
        }
      }),
      { numRuns: 12 },
    );
  });
});

describe('interval availability', () => {
  it('is the closed form of a repairable part', () => {
    fc.assert(
      fc.property(uniform(0.1, 5), uniform(0.1, 5), uniform(0.01, 20), (fail, repair, t) => {
        const chain = buildChain(
          chainFrom(2, [
            [0, 1, fail],
            [1, 0, repair],
          ]),
          {},
        );
        const q = fail + repair;
        const closed = repair / q + ((fail / q) * -Math.expm1(-q * t)) / (q * t);
        expect(intervalAvailability(chain, t)).toBeCloseTo(closed, 10);
      }),
    );
  });

  it('is the mean of the availability over the interval, and may stop early when the steady state is known', () => {
    fc.assert(
      fc.property(irreducibleChains, uniform(0.001, 0.02), ({ size, arcs }, t) => {
        const chain = buildChain(chainFrom(size, arcs), {});
        const at = (hours: number) => 1 - (transient(chain, hours)[size - 1] as number);
        const pieces = 200;
        let integral = 0;
        for (let i = 0; i < pieces; i++) {
          const [left, right] = [(i * t) / pieces, ((i + 1) * t) / pieces];
          integral += (at(left) + 4 * at((left + right) / 2) + at(right)) / (6 * pieces);
        }
        expect(intervalAvailability(chain, t)).toBeCloseTo(integral, 6);
        const limit = steadyState(chain);
        expect(intervalAvailability(chain, 30, { steadyState: limit })).toBeCloseTo(
          intervalAvailability(chain, 30),
          10,
        );
      }),
      { numRuns: 8 },
    );
  });

  it('of a chain in which nothing happens is its first reward', () => {
    expect(intervalAvailability(absorbing(1, [], []), 5)).toBe(1);
    expect(intervalAvailability(absorbing(1, [], [0]), 5)).toBe(0);
    expect(() => intervalAvailability(absorbing(1, []), 0)).toThrow(/time \(hours\)/);
  });
});

describe('what a chain is checked for', () => {
  it('is a reward that is no share', () => {
    for (const reward of [5, -0.1, Number.NaN]) {
      const definition = { ...chainFrom(1, []), states: [{ name: '0', reward }] };
      expect(() => buildChain(definition, {}, { absorbing: true })).toThrow(
        new RegExp(`RMK_ERR_CHAIN.*reward of the state "0" is ${reward}.*from 0 to 1`),
      );
    }
  });

  it('is a state of that name', () => {
    const chain = absorbing(2, [[0, 1, 1]]);
    expect(chain.states.map(statesNamed(chain, ['1']))).toEqual([false, true]);
    expect(() => statesNamed(chain, ['2'])).toThrow(/there is no state "2"/);
  });
});
