import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Graph, graphOf } from '../src/chain/components.js';
import { Elimination } from '../src/chain/elimination.js';
import { eliminationOrder } from '../src/chain/eliminationOrder.js';
import { postorder } from '../src/chain/eliminationTree.js';
import { Front } from '../src/chain/front.js';
import { buildChain, type MarkovChain } from '../src/chain/markovChain.js';
import { steadyState } from '../src/chain/steadyState.js';
import { type Random, seededRandom } from '../src/numerics/random.js';
import { chainFrom } from './chainFixtures.js';

/** A permutation of the states that ends in `last`. */
function shuffled(size: number, last: number, random: Random): Int32Array {
  const order = Array.from({ length: size }, (_, state) => state).filter((state) => state !== last);
  for (let i = order.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return Int32Array.from([...order, last]);
}

/** A ring through all states with `more` random transitions besides; rates spread over eight powers of ten. */
function randomChain(size: number, more: number, random: Random): MarkovChain {
  const rate = () => 10 ** (8 * random() - 4);
  const ring = Array.from({ length: size }, (_, state) => [state, (state + 1) % size, rate()] as const);
  const others = Array.from({ length: more }, () => {
    const from = Math.floor(random() * size);
    return [from, (from + 1 + Math.floor(random() * (size - 1))) % size, rate()] as const;
  });
  const start = Math.floor(random() * size);
  return buildChain({ ...chainFrom(size, [...ring, ...others]), initial: String(start) }, {});
}

/** From a ring alone to a chain in which nearly all transitions exist, which needs more than one panel. */
const chains = fc.tuple(fc.integer({ min: 2, max: 70 }), fc.integer({ min: 0, max: 4 }), fc.nat());

function chainOf(size: number, density: number, random: Random): MarkovChain {
  return randomChain(size, Math.floor((size * size * density) / 8), random);
}

function farthest(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x / (b[i] as number) - 1)), 0);
}

describe('elimination', () => {
  it('gives the same steady state in any order, to 12 digits of each probability', () => {
    fc.assert(
      fc.property(chains, ([size, density, seed]) => {
        const random = seededRandom(seed);
        const chain = chainOf(size, density, random);
        const order = shuffled(size, chain.initial, random);
        expect(farthest(new Elimination(chain, order).steadyState(), steadyState(chain))).toBeLessThan(1e-12);
      }),
    );
  });

  it('solves Q h = b in any order, with h = 0 for the initial state', () => {
    fc.assert(
      fc.property(chains, ([size, density, seed]) => {
        const random = seededRandom(seed);
        const chain = chainOf(size, density, random);
        const pi = steadyState(chain);
        const b = pi.map(() => random());
        const mean = b.reduce((sum, value, state) => sum + value * (pi[state] as number), 0);
        const centred = b.map((value) => value - mean);
        for (const order of [undefined, shuffled(size, chain.initial, random)]) {
          const h = new Elimination(chain, order).solve(centred);
          expect(h[chain.initial]).toBe(0);
          const left = new Float64Array(size);
          const scale = new Float64Array(size).fill(1);
          for (const { from, to, rate } of chain.arcs) {
            left[from] = (left[from] as number) + rate * ((h[to] as number) - (h[from] as number));
            scale[from] =
              (scale[from] as number) + rate * (Math.abs(h[to] as number) + Math.abs(h[from] as number));
          }
          for (let state = 0; state < size; state++) {
            // The equation of the initial state holds because the others do, and collects their rounding.
            const slack = state === chain.initial ? 1e-6 : 1e-9;
            const error = (left[state] as number) - (centred[state] as number);
            expect(Math.abs(error) / (scale[state] as number)).toBeLessThan(slack);
          }
        }
      }),
    );
  });

  it('is refused where the chain fills up too much for its limit', () => {
    const chain = randomChain(60, 600, seededRandom(4));
    expect(() => new Elimination(chain, undefined, 30)).toThrow(
      /RMK_ERR_NUMERIC.*fills up.*steadyStateByIteration/,
    );
    expect(new Elimination(chain, undefined, 60).steadyState()).toEqual(steadyState(chain));
  });
});

describe('the elimination in a matrix', () => {
  it.each([
    [1, 1],
    [5, 4],
    [5, 2],
    [33, 32],
    [70, 70],
    [70, 37],
    // More than one block of columns behind a panel.
    [600, 40],
  ])('of %i states, %i of them eliminated, is the textbook one state by state', (size, count) => {
    const random = seededRandom(size);
    const front = new Front(Int32Array.from({ length: size }, (_, state) => state));
    const rates = front.rates.map(() => (random() < 0.5 ? 0 : 10 ** (8 * random() - 4)));
    // Each state leads to the last one, so that none is absorbing.
    for (let i = 0; i < size; i++) rates[i * size + size - 1] = 1;
    front.rates.set(rates);
    const exits = new Float64Array(count);
    front.eliminate(Math.min(count, size - 1), exits);
    for (let k = 0; k < Math.min(count, size - 1); k++) {
      const row = rates.subarray(k * size + k + 1, (k + 1) * size);
      const exit = row.reduce((sum, rate) => sum + rate, 0);
      expect((exits[k] as number) / exit).toBeCloseTo(1, 13);
      row.forEach((rate, at) => (row[at] = rate / exit));
      for (let i = k + 1; i < size; i++) {
        const into = rates[i * size + k] as number;
        for (let j = k + 1; j < size; j++) {
          rates[i * size + j] = (rates[i * size + j] as number) + into * (rates[k * size + j] as number);
        }
      }
    }
    let worst = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const [ours, plain] = [front.rates[i * size + j] as number, rates[i * size + j] as number];
        if (i !== j) worst = Math.max(worst, Math.abs(ours - plain) / (plain || 1));
      }
    }
    expect(worst).toBeLessThan(1e-12);
  });
});

/** Both directions of these pairs. */
function graph(size: number, pairs: readonly (readonly [number, number])[]): Graph {
  const unique = new Map(
    pairs
      .filter(([a, b]) => a !== b)
      .flatMap(
        ([a, b]) =>
          [
            [`${a} ${b}`, { from: a, to: b }],
            [`${b} ${a}`, { from: b, to: a }],
          ] as const,
      ),
  );
  return graphOf(size, [...unique.values()]);
}

/** How many pairs of states get connected while the states are eliminated in this order, written out. */
function fill({ starts, targets }: Graph, order: Int32Array): number {
  const neighbours = Array.from(
    order,
    (_, state) => new Set(targets.subarray(starts[state], starts[state + 1])),
  );
  let created = 0;
  for (const state of order) {
    const around = [...(neighbours[state] as Set<number>)];
    for (const a of around) {
      const set = neighbours[a] as Set<number>;
      set.delete(state);
      for (const b of around) {
        if (b > a && !set.has(b)) {
          set.add(b);
          (neighbours[b] as Set<number>).add(a);
          created++;
        }
      }
    }
  }
  return created;
}

const graphs = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 }), fc.nat())
  .map(([size, density, seed]) => {
    const random = seededRandom(seed);
    const state = () => Math.floor(random() * size);
    return {
      size,
      graph: graph(
        size,
        Array.from({ length: density * size }, () => [state(), state()] as const),
      ),
    };
  });

describe('the order of elimination', () => {
  it('holds each state once, the last one last', () => {
    fc.assert(
      fc.property(graphs, fc.nat(39), ({ size, graph: any }, at) => {
        const last = at % size;
        const order = eliminationOrder(any, last);
        expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(order.at(-1)).toBe(last);
      }),
    );
  });

  it('connects no states of a tree with each other, whatever its shape, but with the last one alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 1, maxLength: 60, size: 'max' }),
        fc.nat(),
        (parents, at) => {
          const size = parents.length + 1;
          const last = at % size;
          const pairs = parents.map((parent, i) => [i + 1, parent % (i + 1)] as const);
          const order = eliminationOrder(graph(size, pairs), last);
          const others = pairs.filter((pair) => !pair.includes(last));
          expect(fill(graph(size, others), order)).toBe(0);
        },
      ),
    );
  });

  it('connects hardly more states than always taking the one with the fewest neighbours', () => {
    let ours = 0;
    let best = 0;
    fc.assert(
      fc.property(graphs, ({ size, graph: any }) => {
        ours += fill(any, eliminationOrder(any, size - 1));
        best += fill(any, leastDegree(any, size - 1));
      }),
    );
    expect(best).toBeGreaterThan(1000);
    expect(ours / best).toBeLessThan(1.15);
  });

  it('connects a third of the states of a lattice that elimination row by row does', () => {
    const side = 40;
    const pairs = Array.from({ length: side * side }, (_, i) => [
      ...(i % side < side - 1 ? [[i, i + 1] as const] : []),
      ...(i + side < side * side ? [[i, i + side] as const] : []),
    ]).flat();
    const lattice = graph(side * side, pairs);
    const rows = Int32Array.from({ length: side * side }, (_, i) => i);
    expect(fill(lattice, eliminationOrder(lattice, side * side - 1))).toBeLessThan(fill(lattice, rows) / 3);
  });

  it('leaves a state that all others lead to for the end', () => {
    const size = 2000;
    const star = graph(size, [
      ...Array.from({ length: size }, (_, i) => [i, 7] as const),
      ...Array.from({ length: size - 1 }, (_, i) => [i, i + 1] as const),
    ]);
    expect([...eliminationOrder(star, 3)].slice(-2)).toEqual([7, 3]);
  });

  it('in postorder connects the same states, and has each state behind all that change its transitions', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), ({ size, graph: any }, seed) => {
        const order = shuffled(size, size - 1, seededRandom(seed));
        const sorted = postorder(any, order);
        expect([...sorted].toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(fill(any, sorted)).toBe(fill(any, order));
      }),
    );
  });
});

/** Always the state with the fewest neighbours, from a plain graph. */
function leastDegree({ starts, targets }: Graph, last: number): Int32Array {
  const size = starts.length - 1;
  const neighbours = Array.from(
    { length: size },
    (_, state) => new Set(targets.subarray(starts[state], starts[state + 1])),
  );
  const left = new Set(Array.from({ length: size }, (_, state) => state).filter((state) => state !== last));
  const order: number[] = [];
  while (left.size > 0) {
    const next = [...left].reduce((a, b) =>
      (neighbours[b]?.size ?? 0) < (neighbours[a]?.size ?? 0) ? b : a,
    );
    const around = [...(neighbours[next] as Set<number>)];
    for (const a of around) {
      neighbours[a]?.delete(next);
      for (const b of around) if (a !== b) neighbours[a]?.add(b);
    }
    left.delete(next);
    order.push(next);
  }
  return Int32Array.from([...order, last]);
}
