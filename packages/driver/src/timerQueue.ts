import type { Nanoseconds } from '@rmk/core';

/** A timer of a {@link TimerQueue}. */
export interface Timer {
  readonly run: () => void | Promise<void>;
  /** Undefined for a timer that fires once. */
  readonly everyNs: Nanoseconds | undefined;
  readonly atNs: Nanoseconds;
}

interface Entry extends Timer {
  atNs: Nanoseconds;
  /** Timers of one moment fire in the order in which they were added. */
  readonly order: number;
  /** Its place in the heap; -1 once it has fired or was removed. */
  place: number;
}

/** The timers of one clock, ordered by their moment. Adding, removing and firing take logarithmic time. */
export class TimerQueue {
  /** A binary heap: no entry fires before its parent, which is at `(place - 1) >> 1`. */
  private readonly heap: Entry[] = [];
  private added = 0;

  get length(): number {
    return this.heap.length;
  }

  /** When the next timer is due; Infinity if no timer is set. */
  get nextNs(): Nanoseconds {
    return this.heap[0]?.atNs ?? Infinity;
  }

  add(atNs: Nanoseconds, everyNs: Nanoseconds | undefined, run: Timer['run']): Timer {
    const entry: Entry = { run, everyNs, atNs, order: this.added++, place: this.heap.length };
    this.heap.push(entry);
    this.rise(entry);
    return entry;
  }

  /** Returns whether the timer was still to fire. */
  remove(timer: Timer): boolean {
    const entry = timer as Entry;
    const { place } = entry;
    if (this.heap[place] !== entry) return false;
    const last = this.heap.pop();
    entry.place = -1;
    if (last === undefined || last === entry) return true;
    this.put(last, place);
    this.rise(last);
    this.sink(last);
    return true;
  }

  clear(): void {
    for (const entry of this.heap) entry.place = -1;
    this.heap.length = 0;
  }

  /** Runs the next timer if it is due by `byNs`. An interval's timer is set again before it runs. */
  fireDue(byNs: Nanoseconds): boolean {
    const [entry] = this.heap;
    if (entry === undefined || entry.atNs > byNs) return false;
    if (entry.everyNs === undefined) {
      this.remove(entry);
    } else {
      entry.atNs += entry.everyNs;
      this.sink(entry);
    }
    void entry.run();
    return true;
  }

  private rise(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.heap[(entry.place - 1) >> 1];
      if (parent === undefined || firesBefore(parent, entry)) return;
      this.swap(entry, parent);
    }
  }

  private sink(entry: Entry): void {
    for (;;) {
      const left = this.heap[2 * entry.place + 1];
      const right = this.heap[2 * entry.place + 2];
      if (left === undefined) return;
      const child = right !== undefined && firesBefore(right, left) ? right : left;
      if (firesBefore(entry, child)) return;
      this.swap(child, entry);
    }
  }

  private swap(one: Entry, other: Entry): void {
    const { place } = one;
    this.put(one, other.place);
    this.put(other, place);
  }

  private put(entry: Entry, place: number): void {
    this.heap[place] = entry;
    entry.place = place;
  }
}

function firesBefore(one: Entry, other: Entry): boolean {
  return one.atNs < other.atNs || (one.atNs === other.atNs && one.order < other.order);
}
