import * as fc from 'fast-check';
import { cases } from '../../../test/long.js';
import { describe, expect, it } from 'vitest';
import { buildChain } from '../src/chain/markovChain.js';
import { unavailabilityOf } from '../src/chain/measures.js';
import { simulateChain } from '../src/chain/simulation.js';
import { steadyState, steadyStateByIteration, steadyStateByLu } from '../src/chain/steadyState.js';
import { transient } from '../src/chain/transient.js';
import { seededRandom } from '../src/numerics/random.js';
import { chainFrom, imbalance, irreducibleChains } from './chainFixtures.js';

type Arcs = readonly (readonly [number, number, number])[];

/**
 * The steady state in exact integers: each state's weight is a principal minor of the matrix of rates (the Markov chain
 * tree theorem).
 */
function exactSteadyState(size: number, arcs: Arcs): number[] {
  const laplacian = Array.from({ length: size }, () => Array.from({ length: size }, () => 0n));
  const at = (i: number, j: number) => laplacian[i]?.[j] ?? 0n;
  const add = (i: number, j: number, value: bigint) => {
    (laplacian[i] as bigint[])[j] = at(i, j) + value;
  };
  for (const [from, to, rate] of arcs) {
    add(from, from, BigInt(rate));
    add(from, to, -BigInt(rate));
  }
  const weights = Array.from({ length: size }, (_, state) => {
    const others = Array.from({ length: size }, (_each, i) => i).filter((i) => i !== state);
    return determinant(others.map((i) => others.map((j) => at(i, j))));
  });
  const total = weights.reduce((a, b) => a + b, 0n);
  return weights.map((weight) => Number((weight * 10n ** 40n) / total) / 1e40);
}

/** Bareiss' elimination, which stays within the integers. */
function determinant(matrix: bigint[][]): bigint {
  const n = matrix.length;
  let previous = 1n;
  for (let k = 0; k < n - 1; k++) {
    for (let i = k + 1; i < n; i++) {
      for (let j = k + 1; j < n; j++) {
        const [row, pivot] = [matrix[i] as bigint[], matrix[k] as bigint[]];
        row[j] =
          ((row[j] as bigint) * (pivot[k] as bigint) - (row[k] as bigint) * (pivot[j] as bigint)) / previous;
      }
    }
    previous = (matrix[k] as bigint[])[k] as bigint;
  }
  return n === 0 ? 1n : ((matrix[n - 1] as bigint[])[n - 1] as bigint);
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0);

describe('the steady state by GTH elimination', () => {
  it('is the exact one to 14 digits of each probability', () => {
    fc.assert(
      fc.property(irreducibleChains, ({ size, arcs }) => {
        const ours = steadyState(buildChain(chainFrom(size, arcs), {}));
        for (const [state, exact] of exactSteadyState(size, arcs).entries()) {
          expect(Math.abs((ours[state] as number) / exact - 1)).toBeLessThan(1e-14);
        }
      }),
    );
  });

  it('agrees with the LU solve, with Gauss and Seidel, and with uniformisation after a long time', () => {
    fc.assert(
      fc.property(irreducibleChains, ({ size, arcs }) => {
        const chain = buildChain(chainFrom(size, arcs), {});
        const gth = steadyState(chain);
        expect(largest(steadyStateByLu(chain), gth)).toBeLessThan(1e-12);
        expect(largest(steadyStateByIteration(chain).probabilities, gth)).toBeLessThan(1e-10);
        // The slowest ring turns in 9 hours; no steady state is given, so that all steps are made.
        expect(largest(transient(chain, 400), gth)).toBeLessThan(1e-10);
      }),
      { numRuns: cases(10) },
    );
  });

  it('agrees with a simulation of its transitions, within its interval', () => {
    fc.assert(
      fc.property(irreducibleChains, fc.integer({ min: 1, max: 1e6 }), ({ size, arcs }, seed) => {
        const chain = buildChain(chainFrom(size, arcs), {});
        const { low, high } = simulateChain(chain, { cycles: 3000, seed, confidence: 0.99999 });
        const model = unavailabilityOf(chain, steadyState(chain));
        expect(model).toBeGreaterThan(low - 1e-3);
        expect(model).toBeLessThan(high + 1e-3);
      }),
      { numRuns: 20, seed: 8 },
    );
  });

  it('keeps its digits where rates lie 24 orders of magnitude apart: π_1 / π_0 of two states is λ / μ', () => {
    for (const [up, down] of [
      [1e-12, 1e12],
      [1e-9, 3600],
      [5, 7],
    ] as const) {
      const pi = steadyState(
        buildChain(
          chainFrom(2, [
            [0, 1, up],
            [1, 0, down],
          ]),
          {},
        ),
      );
      expect(pi[1]).toBeCloseTo(up / (up + down), 15);
      expect((pi[1] as number) / (pi[0] as number)).toBe(up / down);
    }
  });

  it('of a queue is geometric', () => {
    const size = 60;
    const arcs = Array.from(
      { length: size - 1 },
      (_, i) =>
        [
          [i, i + 1, 3],
          [i + 1, i, 10],
        ] as const,
    ).flat();
    const pi = steadyState(buildChain(chainFrom(size, arcs), {}));
    for (let state = 1; state < size; state++) {
      expect(Math.abs((pi[state] as number) / (pi[state - 1] as number) / 0.3 - 1)).toBeLessThan(1e-13);
    }
  });

  it('of 10 000 sparse states balances every state: a lattice of 100 by 100 with random rates', () => {
    const side = 100;
    const random = seededRandom(17);
    const rate = () => 10 ** (4 * random() - 2);
    const arcs: [number, number, number][] = [];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const here = row * side + column;
        if (column + 1 < side) arcs.push([here, here + 1, rate()], [here + 1, here, rate()]);
        if (row + 1 < side) arcs.push([here, here + side, rate()], [here + side, here, rate()]);
      }
    }
    const chain = buildChain(chainFrom(side * side, arcs), {});
    const pi = steadyState(chain);
    expect(imbalance(chain, pi)).toBeLessThan(1e-12);
    expect(pi.reduce((total, p) => total + p, 0)).toBeCloseTo(1, 12);
  });

  it('of sparse states without any locality, which fill up, balances every state and is what the iteration finds', () => {
    const size = 1500;
    const random = seededRandom(18);
    const arcs = Array.from({ length: size }, (_, state) =>
      [1, ...Array.from({ length: 3 }, () => 1 + Math.floor(random() * (size - 1)))].map(
        (distance) => [state, (state + distance) % size, 10 ** (4 * random() - 2)] as const,
      ),
    ).flat();
    const chain = buildChain(chainFrom(size, arcs), {});
    const pi = steadyState(chain);
    expect(imbalance(chain, pi)).toBeLessThan(1e-12);
    expect(largest(steadyStateByIteration(chain).probabilities, pi)).toBeLessThan(1e-10);
  });

  it('is refused where the probabilities do not fit into numbers', () => {
    const arcs = [
      [0, 1, 1e300],
      [1, 0, 1e-300],
    ] as const;
    expect(() => steadyState(buildChain(chainFrom(2, arcs), {}))).toThrow(/RMK_ERR_NUMERIC.*too far apart/);
  });
});

describe('the iteration', () => {
  it('says when it does not settle', () => {
    const arcs = [
      [0, 1, 1],
      [1, 0, 2],
      [1, 2, 1e-3],
      [2, 1, 3e-3],
    ] as const;
    const chain = buildChain(chainFrom(3, arcs), {});
    expect(() => steadyStateByIteration(chain, { sweeps: 2 })).toThrow(
      /RMK_ERR_NUMERIC.*did not settle in 2 sweeps/,
    );
  });

  it('finds the steady state of clusters that hardly touch, whose sweeps change nothing to be seen', () => {
    const cluster = (first: number, rates: readonly [number, number]) =>
      [
        [first, first + 1, rates[0]],
        [first + 1, first, rates[1]],
      ] as const;
    for (const coupling of [1e-3, 1e-5, 1e-7, 1e-10, 1e-13]) {
      const chain = buildChain(
        chainFrom(4, [
          ...cluster(0, [1, 2]),
          ...cluster(2, [3, 1]),
          [1, 2, 2.1 * coupling],
          [3, 0, 0.4 * coupling],
        ]),
        {},
      );
      const { probabilities } = steadyStateByIteration(chain);
      expect(largest(probabilities, steadyState(chain)), String(coupling)).toBeLessThan(1e-10);
    }
  });

  it('finds it in chains of many clusters of any size', () => {
    fc.assert(
      fc.property(
        irreducibleChains,
        irreducibleChains,
        fc.integer({ min: 3, max: 14 }),
        (one, other, exponent) => {
          const shifted = other.arcs.map(
            ([from, to, rate]) => [from + one.size, to + one.size, rate] as const,
          );
          const arcs = [
            ...one.arcs,
            ...shifted,
            [0, one.size, 3 * 10 ** -exponent] as const,
            [one.size + 1, 1, 10 ** -exponent] as const,
          ];
          const chain = buildChain(chainFrom(one.size + other.size, arcs), {});
          expect(largest(steadyStateByIteration(chain).probabilities, steadyState(chain))).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 40 },
    );
  });
});
