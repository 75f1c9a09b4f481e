import { ModelError } from '../errors.js';
import { type MarkovChain, requireRecurrent } from './markovChain.js';

/** How one state was eliminated: what a visit to it is replaced by. */
interface Step {
  readonly state: number;
  /** The rate at which it is left, towards the states that were still there. */
  readonly exit: number;
  /** The states that it leads to, and the probability of each. */
  readonly to: Int32Array;
  readonly share: Float64Array;
  /** The states that lead to it, and the rate of each. */
  readonly from: Int32Array;
  readonly rate: Float64Array;
}

/** Once the cheapest removal touches this share of all pairs that are left, a matrix is faster than a sparse structure. */
const DENSE = 0.01;
/** Beyond this a matrix is no longer a matter of seconds. */
const MAX_DENSE_STATES = 4000;

/**
 * Grassmann, Taksar and Heyman's elimination: states are removed one by one, and the chain that is watched only while it is in one
 * of the others gets the rates q_ij + q_is q_sj / Σ_j q_sj. Nothing is ever subtracted, so each probability comes out with nearly
 * all its digits, however small it is and however far the rates lie apart.
 *
 * The chain is kept sparse, and the next state is always the one whose removal can create the fewest new transitions (Markowitz'
 * rule, in-degree times out-degree), which keeps chains of 10 000 states with local transitions to a second or so. What is left when it
 * has filled up is eliminated as a matrix.
 */
export class Elimination {
  private readonly steps: Step[] = [];
  private readonly last: number;
  private readonly size: number;
  private readonly name: string;

  /** Throws RMK_ERR_INPUT if so many transitions arise that the chain is not sparse enough for this. */
  constructor(chain: MarkovChain) {
    requireRecurrent(chain);
    const n = chain.states.length;
    this.size = n;
    this.name = chain.name;
    const out = Array.from({ length: n }, () => new Map<number, number>());
    const incoming = Array.from({ length: n }, () => new Set<number>());
    for (const { from, to, rate } of chain.arcs) {
      const row = out[from] as Map<number, number>;
      row.set(to, (row.get(to) ?? 0) + rate);
      (incoming[to] as Set<number>).add(from);
    }
    // The initial state stays to the end: a state that is hardly ever visited would be a poor point of reference for `solve`.
    const queue = new CheapestFirst(n, (state) =>
      state === chain.initial ? Infinity : (out[state]?.size ?? 0) * (incoming[state]?.size ?? 0),
    );
    for (let left = n; left > 1; left--) {
      const state = queue.take();
      const row = out[state] as Map<number, number>;
      const sources = [...(incoming[state] as Set<number>)];
      if (row.size * sources.length > DENSE * left * left) {
        if (left > MAX_DENSE_STATES) {
          throw new ModelError(
            'RMK_ERR_NUMERIC',
            `the chain "${chain.name}" fills up while its states are eliminated; solve it with steadyStateByIteration`,
          );
        }
        const rest = [state];
        while (rest.length < left) rest.push(queue.take());
        this.last = chain.initial;
        this.steps.push(...eliminateDense(rest, out));
        return;
      }
      let exit = 0;
      for (const rate of row.values()) exit += rate;
      const to = Int32Array.from(row.keys());
      const share = Float64Array.from(row.values(), (rate) => rate / exit);
      const rates = new Float64Array(sources.length);
      for (const target of to) (incoming[target] as Set<number>).delete(state);
      for (const [index, source] of sources.entries()) {
        const targets = out[source] as Map<number, number>;
        const rate = targets.get(state) as number;
        rates[index] = rate;
        targets.delete(state);
        for (let j = 0; j < to.length; j++) {
          const target = to[j] as number;
          if (target === source) continue;
          const before = targets.get(target);
          if (before === undefined) (incoming[target] as Set<number>).add(source);
          targets.set(target, (before ?? 0) + rate * (share[j] as number));
        }
        queue.changed(source);
      }
      for (const target of to) queue.changed(target);
      this.steps.push({ state, exit, to, share, from: Int32Array.from(sources), rate: rates });
      row.clear();
    }
    this.last = queue.take();
  }

  /**
   * π with π Q = 0 and Σ π = 1.
   *
   * Throws RMK_ERR_INPUT if the rates lie so far apart that a probability overflows.
   */
  steadyState(): Float64Array {
    const pi = new Float64Array(this.size);
    pi[this.last] = 1;
    let total = 1;
    for (const { state, exit, from, rate } of this.steps.toReversed()) {
      let flow = 0;
      for (let i = 0; i < from.length; i++) flow += (pi[from[i] as number] as number) * (rate[i] as number);
      pi[state] = flow / exit;
      total += flow / exit;
    }
    if (!(total < Infinity)) {
      throw new ModelError(
        'RMK_ERR_NUMERIC',
        `the rates of "${this.name}" lie too far apart: its probabilities do not fit into floating-point numbers`,
      );
    }
    return pi.map((p) => p / total);
  }

  /**
   * h with Q h = b, for a b with π b = 0; h is fixed up to a constant, which is chosen as 0 for one state. With b = reward - mean
   * reward, -h is the bias of the chain: how many hours of reward are gained by starting in a state, up to that constant.
   */
  solve(b: Float64Array): Float64Array {
    const right = Float64Array.from(b);
    for (const { state, exit, from, rate } of this.steps) {
      const value = (right[state] as number) / exit;
      for (let i = 0; i < from.length; i++) {
        const source = from[i] as number;
        right[source] = (right[source] as number) + (rate[i] as number) * value;
      }
    }
    const h = new Float64Array(this.size);
    for (const { state, exit, to, share } of this.steps.toReversed()) {
      let value = -(right[state] as number) / exit;
      for (let j = 0; j < to.length; j++) value += (share[j] as number) * (h[to[j] as number] as number);
      h[state] = value;
    }
    return h;
  }
}

/** The steps for the states `left`, of which the last one stays. `rows` are the rates from each state to each other. */
function eliminateDense(left: readonly number[], rows: readonly ReadonlyMap<number, number>[]): Step[] {
  const m = left.length;
  // The state that stays comes first, and the others are removed from the end, so that rows stay contiguous.
  const states = Int32Array.from(left).toReversed();
  const positions = new Map(Array.from(states, (state, position) => [state, position] as const));
  const matrix = states.reduce(
    (rates, state, position) => {
      for (const [to, rate] of rows[state] ?? []) rates[position * m + (positions.get(to) as number)] = rate;
      return rates;
    },
    new Float64Array(m * m),
  );
  const steps: Step[] = [];
  for (let k = m - 1; k > 0; k--) {
    const others = states.subarray(0, k);
    const share = matrix.slice(k * m, k * m + k);
    const exit = share.reduce((sum, rate) => sum + rate, 0);
    for (let j = 0; j < k; j++) share[j] = (share[j] as number) / exit;
    const rate = Float64Array.from(others, (_, i) => matrix[i * m + k] as number);
    for (let i = 0; i < k; i++) {
      const into = rate[i] as number;
      if (into === 0) continue;
      // The diagonal is written as well, and never read.
      for (let j = 0, at = i * m; j < k; j++, at++) {
        matrix[at] = (matrix[at] as number) + into * (share[j] as number);
      }
    }
    steps.push({ state: states[k] as number, exit, to: others, share, from: others, rate });
  }
  return steps;
}

interface Entry {
  readonly state: number;
  readonly cost: number;
}

/** A binary heap of states by cost; a state whose cost changed is entered again, and old entries are skipped. */
class CheapestFirst {
  private readonly heap: Entry[] = [];
  private readonly costs: Float64Array;
  private readonly taken: Uint8Array;

  constructor(
    size: number,
    private readonly costOf: (state: number) => number,
  ) {
    this.costs = new Float64Array(size).fill(-1);
    this.taken = new Uint8Array(size);
    for (let state = 0; state < size; state++) this.changed(state);
  }

  changed(state: number): void {
    const cost = this.costOf(state);
    if (this.taken[state] === 1 || cost === this.costs[state]) return;
    this.costs[state] = cost;
    const { heap } = this;
    let at = heap.length;
    const entry = { state, cost };
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Entry;
      if (parent.cost <= cost) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  take(): number {
    for (;;) {
      const { state, cost } = this.pop();
      if (this.taken[state] === 1 || this.costs[state] !== cost) continue;
      this.taken[state] = 1;
      return state;
    }
  }

  private pop(): Entry {
    const { heap } = this;
    const top = heap[0] as Entry;
    const entry = heap.pop() as Entry;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && (heap[below + 1] as Entry).cost < (heap[below] as Entry).cost) below++;
      const child = heap[below] as Entry;
      if (child.cost >= entry.cost) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = entry;
    return top;
  }
}
