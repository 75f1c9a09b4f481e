import type { Graph } from './components.js';

/** States with more neighbours than this times √n are eliminated last: they would be a part of nearly every front. */
const HUB = 10;

/**
 * An order of elimination that creates few new transitions: always the state with the fewest neighbours next (Amestoy,
 * Davis and Duff's approximate minimum degree). `graph` holds each transition in both directions; the state `last`
 * comes last.
 *
 * The neighbours that an elimination connects with each other are kept as one set, an element, instead of as that many
 * transitions. States with the same neighbours are merged, and eliminated together.
 */
export function eliminationOrder(graph: Graph, last: number): Int32Array {
  const size = graph.starts.length - 1;
  const mostNeighbours = Math.max(16, HUB * Math.sqrt(size));
  const isLate = new Uint8Array(size);
  isLate[last] = 1;
  const hubs: number[] = [];
  for (let state = 0; state < size; state++) {
    if (state === last || degreeIn(graph, state) <= mostNeighbours) continue;
    isLate[state] = 1;
    hubs.push(state);
  }
  hubs.sort((a, b) => degreeIn(graph, a) - degreeIn(graph, b));
  return Int32Array.from([...new QuotientGraph(graph, isLate).order(), ...hubs, last]);
}

function degreeIn({ starts }: Graph, state: number): number {
  return (starts[state + 1] as number) - (starts[state] as number);
}

/** What is left of the graph while states are eliminated. */
class QuotientGraph {
  /** How many states a state stands for: more than one after a merge, none where it was merged or eliminated. */
  private readonly weight: Int32Array;
  private readonly merged: number[][];
  private readonly neighbours: number[][];
  /** The elements that a state belongs to, by the eliminated state that made them. */
  private readonly elements: number[][];
  private readonly membersOf: number[][];
  private readonly isElement: Uint8Array;
  private readonly mark: Int32Array;
  private stamp = 0;
  /** How much of an element lies outside of the newest one, if `seen` has the current stamp. */
  private readonly outside: Int32Array;
  private readonly seen: Int32Array;
  private readonly queue: DegreeQueue;
  private left: number;

  constructor(graph: Graph, isLeftOut: Uint8Array) {
    const size = isLeftOut.length;
    this.weight = Int32Array.from(isLeftOut, (out) => 1 - out);
    this.left = this.weight.reduce((sum, one) => sum + one, 0);
    this.merged = Array.from({ length: size }, (_, state) => [state]);
    this.elements = Array.from({ length: size }, () => []);
    this.membersOf = Array.from({ length: size }, () => []);
    this.neighbours = Array.from({ length: size }, (_, state) =>
      isLeftOut[state] === 1
        ? []
        : [...graph.targets.subarray(graph.starts[state], graph.starts[state + 1])].filter(
            (other) => isLeftOut[other] === 0,
          ),
    );
    this.isElement = new Uint8Array(size);
    this.mark = new Int32Array(size).fill(-1);
    this.outside = new Int32Array(size);
    this.seen = new Int32Array(size).fill(-1);
    this.queue = new DegreeQueue(size);
    for (let state = 0; state < size; state++) {
      if (isLeftOut[state] === 0) this.queue.add(state, this.neighboursOf(state).length);
    }
  }

  order(): number[] {
    const order: number[] = [];
    while (this.left > 0) {
      const pivot = this.queue.take();
      order.push(...this.membersIn(pivot));
      this.left -= this.weight[pivot] as number;
      this.weight[pivot] = 0;
      const front = this.eliminate(pivot);
      this.compare(front);
      let size = 0;
      for (const state of front) size += this.weight[state] as number;
      for (const state of front) {
        this.prune(state, pivot);
        this.queue.add(state, this.degreeOf(state, pivot, size));
      }
      this.membersOf[pivot] = this.mergeAlike(front);
    }
    return order;
  }

  private neighboursOf(state: number): number[] {
    return this.neighbours[state] as number[];
  }

  private elementsOf(state: number): number[] {
    return this.elements[state] as number[];
  }

  private membersIn(state: number): number[] {
    return this.merged[state] as number[];
  }

  /**
   * Makes an element of the neighbours of `pivot`, which absorbs those that the pivot belonged to, and returns its
   * states, marked.
   */
  private eliminate(pivot: number): number[] {
    const front: number[] = [];
    const stamp = ++this.stamp;
    const take = (states: readonly number[]) => {
      for (const state of states) {
        if (this.weight[state] === 0 || this.mark[state] === stamp) continue;
        this.mark[state] = stamp;
        front.push(state);
      }
    };
    take(this.neighboursOf(pivot));
    for (const element of this.elementsOf(pivot)) {
      take(this.membersOf[element] as number[]);
      this.isElement[element] = 0;
      this.membersOf[element] = [];
    }
    this.isElement[pivot] = 1;
    this.neighbours[pivot] = [];
    this.elements[pivot] = [];
    for (const state of front) this.queue.remove(state);
    return front;
  }

  /** For every element that shares a state with `front`: how much of it lies outside. */
  private compare(front: readonly number[]): void {
    for (const state of front) {
      for (const element of this.elementsOf(state)) {
        if (this.isElement[element] === 0) continue;
        if (this.seen[element] !== this.stamp) {
          this.seen[element] = this.stamp;
          let total = 0;
          for (const member of this.membersOf[element] as number[]) total += this.weight[member] as number;
          this.outside[element] = total;
        }
        this.outside[element] = (this.outside[element] as number) - (this.weight[state] as number);
      }
    }
  }

  /** Leaves to a state of the newest element only what that element does not cover. */
  private prune(state: number, pivot: number): void {
    const elements = this.elementsOf(state).filter((element) => {
      if (this.isElement[element] === 0) return false;
      if ((this.outside[element] as number) > 0) return true;
      this.isElement[element] = 0;
      return false;
    });
    elements.push(pivot);
    this.elements[state] = elements;
    this.neighbours[state] = this.neighboursOf(state).filter(
      (other) => this.weight[other] !== 0 && this.mark[other] !== this.stamp,
    );
  }

  /** An upper bound of the number of neighbours, which counts twice what lies in two elements. */
  private degreeOf(state: number, pivot: number, frontSize: number): number {
    const own = this.weight[state] as number;
    let degree = frontSize - own;
    for (const element of this.elementsOf(state)) {
      if (element !== pivot) degree += this.outside[element] as number;
    }
    for (const other of this.neighboursOf(state)) degree += this.weight[other] as number;
    return Math.min(degree, this.left - own);
  }

  /** Merges states of the element that have the same neighbours; returns those that stay. */
  private mergeAlike(front: readonly number[]): number[] {
    const bySum = new Map<number, number[]>();
    for (const state of front) {
      let sum = 0;
      for (const element of this.elementsOf(state)) sum += element;
      for (const other of this.neighboursOf(state)) sum += other;
      const alike = bySum.get(sum);
      if (alike === undefined) bySum.set(sum, [state]);
      else alike.push(state);
    }
    for (const candidates of bySum.values()) {
      for (let i = 0; i < candidates.length; i++) {
        const first = candidates[i] as number;
        if (this.weight[first] === 0) continue;
        for (let j = i + 1; j < candidates.length; j++) {
          const other = candidates[j] as number;
          if (this.weight[other] !== 0 && this.areAlike(first, other)) this.merge(first, other);
        }
      }
    }
    return front.filter((state) => this.weight[state] !== 0);
  }

  private areAlike(a: number, b: number): boolean {
    return (
      haveSame(this.elementsOf(a), this.elementsOf(b)) && haveSame(this.neighboursOf(a), this.neighboursOf(b))
    );
  }

  private merge(kept: number, other: number): void {
    const weight = this.weight[other] as number;
    this.queue.remove(other);
    this.queue.add(kept, Math.max(0, this.queue.degreeOf(kept) - weight));
    this.membersIn(kept).push(...this.membersIn(other));
    this.weight[kept] = (this.weight[kept] as number) + weight;
    this.weight[other] = 0;
    this.merged[other] = [];
    this.neighbours[other] = [];
    this.elements[other] = [];
  }
}

function haveSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && (a.length < 2 ? a[0] === b[0] : new Set([...a, ...b]).size === a.length);
}

/** States by degree, in linked lists. */
class DegreeQueue {
  private readonly first: Int32Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly degrees: Int32Array;
  private least = 0;

  constructor(size: number) {
    this.first = new Int32Array(size + 1).fill(-1);
    this.next = new Int32Array(size).fill(-1);
    this.previous = new Int32Array(size).fill(-1);
    this.degrees = new Int32Array(size).fill(-1);
  }

  degreeOf(state: number): number {
    return this.degrees[state] as number;
  }

  /** Adds a state, or moves it. */
  add(state: number, degree: number): void {
    this.remove(state);
    const head = this.first[degree] as number;
    this.next[state] = head;
    this.previous[state] = -1;
    if (head !== -1) this.previous[head] = state;
    this.first[degree] = state;
    this.degrees[state] = degree;
    this.least = Math.min(this.least, degree);
  }

  remove(state: number): void {
    const degree = this.degrees[state] as number;
    if (degree === -1) return;
    const [before, after] = [this.previous[state] as number, this.next[state] as number];
    if (before === -1) this.first[degree] = after;
    else this.next[before] = after;
    if (after !== -1) this.previous[after] = before;
    this.degrees[state] = -1;
  }

  /** Takes a state of the least degree. There must be one. */
  take(): number {
    while (this.first[this.least] === -1) this.least++;
    const state = this.first[this.least] as number;
    this.remove(state);
    return state;
  }
}
