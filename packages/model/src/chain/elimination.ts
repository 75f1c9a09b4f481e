import { ModelError } from '../errors.js';
import { type Graph, graphOf } from './components.js';
import { eliminationOrder } from './eliminationOrder.js';
import { postorder } from './eliminationTree.js';
import { Front } from './front.js';
import { type MarkovChain, requireRecurrent } from './markovChain.js';

/** A front of more states takes more than a minute. */
const MOST_FRONT_STATES = 6000;
/**
 * A front of this share of the states that are left gets all of them: passing most of it on again and again would take
 * longer.
 */
const NEARLY_ALL = 0.6;

/** States that were eliminated together. */
interface Step {
  /** The eliminated states, then those that they led to or came from, all as positions in the order. */
  readonly states: Int32Array;
  readonly count: number;
  /** The rates at which the eliminated states were left. */
  readonly exits: Float64Array;
  /** The first `count` rows of the front. */
  readonly rows: Float64Array;
  /** The first `count` columns of the other rows. */
  readonly columns: Float64Array;
}

/**
 * Grassmann, Taksar and Heyman's elimination: states are removed one by one, and the chain that is watched only while
 * it is in one of the others gets the rates q_ij + q_is q_sj / Σ_j q_sj. Nothing is ever subtracted, so each
 * probability comes out with nearly all its digits, in any order, however small it is and however far the rates lie
 * apart.
 *
 * The order is one that creates few transitions. A state is eliminated in a matrix of the states that it touches, a
 * front; what that creates between the others is passed on to the front of the next of them (Duff and Reid's
 * multifrontal method).
 */
export class Elimination {
  private readonly steps: Step[] = [];
  private readonly order: Int32Array;
  private readonly size: number;
  private readonly name: string;

  /**
   * `order`, by default one that creates few transitions, ends in the initial state: a state that is hardly ever
   * visited would be a poor point of reference for `solve`.
   *
   * Throws RMK_ERR_NUMERIC if a front needs more than `most` states: the chain is not sparse enough for this.
   */
  constructor(chain: MarkovChain, order?: Int32Array, most = MOST_FRONT_STATES) {
    requireRecurrent(chain);
    this.size = chain.states.length;
    this.name = chain.name;
    const graph = neighbourhood(chain);
    this.order = postorder(graph, order ?? eliminationOrder(graph, chain.initial));
    const positions = new Int32Array(this.size);
    for (const [position, state] of this.order.entries()) positions[state] = position;
    this.eliminate(new Transitions(chain, positions), most);
  }

  private eliminate(transitions: Transitions, most: number): void {
    /** By position: fronts whose first state that is left is this one, and how many of their states are eliminated. */
    const passed = Array.from({ length: this.size }, (): Passed[] => []);
    /** Where a state stands in the front at hand, if `inFront` says so. */
    const places = new Int32Array(this.size);
    const inFront = new Int32Array(this.size).fill(-1);
    let position = 0;
    while (position < this.size - 1) {
      const states = [position];
      const first = position;
      inFront[first] = first;
      const join = (state: number) => {
        if (state <= first || inFront[state] === first) return;
        inFront[state] = first;
        states.push(state);
      };
      transitions.neighbours(first, join);
      for (const { front, count } of passed[first] as Passed[]) front.states.subarray(count).forEach(join);
      if (states.length > NEARLY_ALL * (this.size - first)) {
        for (let state = first; state < this.size; state++) join(state);
      }
      if (states.length > most) {
        throw new ModelError(
          'RMK_ERR_NUMERIC',
          `the chain "${this.name}" fills up while its states are eliminated; solve it with steadyStateByIteration`,
        );
      }
      const front = new Front(Int32Array.from(states).toSorted());
      for (const [place, state] of front.states.entries()) places[state] = place;
      const isInside = (state: number) => inFront[state] === first;
      const fits = () =>
        transitions.areAll(position, isInside) &&
        (passed[position] as Passed[]).every((other) =>
          other.front.states.subarray(other.count).every(isInside),
        );
      // The states that follow join in as long as they touch no others.
      let count = 0;
      do {
        transitions.addTo(front, position, places);
        for (const other of passed[position] as Passed[]) addTo(front, other, places);
        passed[position] = [];
        count++;
        position++;
      } while (position < this.size - 1 && front.states[count] === position && fits());

      const exits = new Float64Array(count);
      front.eliminate(count, exits);
      passed[front.states[count] as number]?.push({ front, count });
      this.steps.push(stepOf(front, count, exits));
    }
  }

  /**
   * π with π Q = 0 and Σ π = 1.
   *
   * Throws RMK_ERR_NUMERIC if the rates lie so far apart that a probability overflows.
   */
  steadyState(): Float64Array {
    const pi = new Float64Array(this.size);
    pi[this.size - 1] = 1;
    let total = 1;
    for (const { states, count, exits, rows, columns } of this.steps.toReversed()) {
      const size = states.length;
      for (let k = count - 1; k >= 0; k--) {
        let flow = 0;
        for (let i = k + 1; i < count; i++) {
          flow += (pi[states[i] as number] as number) * (rows[i * size + k] as number);
        }
        for (let i = count; i < size; i++) {
          flow += (pi[states[i] as number] as number) * (columns[(i - count) * count + k] as number);
        }
        const probability = flow / (exits[k] as number);
        pi[states[k] as number] = probability;
        total += probability;
      }
    }
    if (!(total < Infinity)) {
      throw new ModelError(
        'RMK_ERR_NUMERIC',
        `the rates of "${this.name}" lie too far apart: its probabilities do not fit into floating-point numbers`,
      );
    }
    return this.byState(pi.map((p) => p / total));
  }

  /**
   * h with Q h = b, for a b with π b = 0; h is fixed up to a constant, which is chosen as 0 for one state. With b =
   * reward - mean reward, -h is the bias of the chain: how many hours of reward are gained by starting in a state, up
   * to that constant.
   */
  solve(b: Float64Array): Float64Array {
    const right = Float64Array.from(this.order, (state) => b[state] as number);
    for (const { states, count, exits, rows, columns } of this.steps) {
      const size = states.length;
      for (let k = 0; k < count; k++) {
        const value = (right[states[k] as number] as number) / (exits[k] as number);
        for (let i = k + 1; i < size; i++) {
          const rate = i < count ? rows[i * size + k] : columns[(i - count) * count + k];
          const source = states[i] as number;
          right[source] = (right[source] as number) + (rate as number) * value;
        }
      }
    }
    const h = new Float64Array(this.size);
    for (const { states, count, exits, rows } of this.steps.toReversed()) {
      const size = states.length;
      for (let k = count - 1; k >= 0; k--) {
        let value = -(right[states[k] as number] as number) / (exits[k] as number);
        for (let j = k + 1; j < size; j++) {
          value += (rows[k * size + j] as number) * (h[states[j] as number] as number);
        }
        h[states[k] as number] = value;
      }
    }
    return this.byState(h);
  }

  private byState(values: Float64Array): Float64Array {
    const sorted = new Float64Array(this.size);
    for (const [position, state] of this.order.entries()) sorted[state] = values[position] as number;
    return sorted;
  }
}

/** The states that each one leads to or comes from, without duplicates. */
function neighbourhood({ states, arcs }: MarkovChain): Graph {
  const both = arcs.flatMap(({ from, to }) => [
    { from, to },
    { from: to, to: from },
  ]);
  const { starts, targets } = graphOf(states.length, both);
  const unique = states.map((_, state) => [...new Set(targets.subarray(starts[state], starts[state + 1]))]);
  return graphOf(
    states.length,
    unique.flatMap((others, from) => others.map((to) => ({ from, to }))),
  );
}

/** A front of which `count` states are eliminated, and the others wait. */
interface Passed {
  readonly front: Front;
  readonly count: number;
}

/** Adds the rates between the states that wait. */
function addTo(front: Front, { front: { states, rates, size }, count }: Passed, places: Int32Array): void {
  for (let i = count; i < size; i++) {
    const row = (places[states[i] as number] as number) * front.size;
    for (let j = count; j < size; j++) {
      const at = row + (places[states[j] as number] as number);
      front.rates[at] = (front.rates[at] as number) + (rates[i * size + j] as number);
    }
  }
}

function stepOf({ states, rates, size }: Front, count: number, exits: Float64Array): Step {
  const columns = new Float64Array((size - count) * count);
  for (let i = count; i < size; i++) {
    columns.set(rates.subarray(i * size, i * size + count), (i - count) * count);
  }
  return { states, count, exits, rows: rates.slice(0, count * size), columns };
}

/** The transitions of a chain by the earlier one of their two states. Numbers are positions in the order. */
class Transitions {
  private readonly graph: Graph;
  private readonly others: Int32Array;
  private readonly rates: Float64Array;
  private readonly isOut: Uint8Array;

  constructor({ arcs }: MarkovChain, positions: Int32Array) {
    const sorted = arcs
      .map(({ from, to, rate }) => ({
        from: positions[from] as number,
        to: positions[to] as number,
        rate,
      }))
      .map(({ from, to, rate }) => ({
        from: Math.min(from, to),
        to: Math.max(from, to),
        rate,
        isOut: from < to ? 1 : 0,
      }))
      .toSorted((a, b) => a.from - b.from);
    this.graph = graphOf(positions.length, sorted);
    this.others = this.graph.targets;
    this.rates = Float64Array.from(sorted, ({ rate }) => rate);
    this.isOut = Uint8Array.from(sorted, ({ isOut }) => isOut);
  }

  /** Calls `visit` with each later state that a transition connects with `state`. */
  neighbours(state: number, visit: (other: number) => void): void {
    const [from, to] = this.range(state);
    for (let at = from; at < to; at++) visit(this.others[at] as number);
  }

  areAll(state: number, isSo: (other: number) => boolean): boolean {
    const [from, to] = this.range(state);
    for (let at = from; at < to; at++) if (!isSo(this.others[at] as number)) return false;
    return true;
  }

  /** Adds the rates between `state` and later ones. */
  addTo(front: Front, state: number, places: Int32Array): void {
    const [from, to] = this.range(state);
    const own = places[state] as number;
    for (let at = from; at < to; at++) {
      const other = places[this.others[at] as number] as number;
      const place = this.isOut[at] === 1 ? own * front.size + other : other * front.size + own;
      front.rates[place] = (front.rates[place] as number) + (this.rates[at] as number);
    }
  }

  private range(state: number): readonly [number, number] {
    return [this.graph.starts[state] as number, this.graph.starts[state + 1] as number];
  }
}
