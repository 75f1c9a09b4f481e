import type { MachineSnapshot } from '../snapshot/machineSnapshot.js';

/** A state of the guest that is loaded at once, without computing it again. */
export interface HistoryPoint {
  /** Guest cycle. */
  readonly cycle: number;
  readonly snapshot: MachineSnapshot;
  /** Whether something other than the guest has changed the state here: it does not follow from the points before. */
  readonly isChange: boolean;
}

/** How much of the past is kept. */
export interface HistoryLimits {
  /** Guest cycles between two points at first. */
  readonly intervalCycles: number;
  /**
   * Most points. When there are more, every second one is dropped and the interval doubles. Changes are kept beyond
   * this and {@link mostBytes}: what came after one does not follow from the points before.
   */
  readonly mostPoints: number;
  /** Most bytes of pages that the points hold, apart from those that they share. */
  readonly mostBytes: number;
}

export const HISTORY_DEFAULTS: HistoryLimits = {
  intervalCycles: 2e6,
  mostPoints: 64,
  mostBytes: 1 << 29,
};

/** Snapshots of one run, ascending. Where the guest was in between follows from the one before, to the bit. */
export class History {
  private points: HistoryPoint[];
  private interval: number;

  constructor(
    first: MachineSnapshot,
    cycle: number,
    private readonly limits: HistoryLimits,
  ) {
    this.points = [{ cycle, snapshot: first, isChange: true }];
    this.interval = limits.intervalCycles;
  }

  get all(): readonly HistoryPoint[] {
    return this.points;
  }

  get first(): HistoryPoint {
    return this.required(0);
  }

  get newest(): HistoryPoint {
    return this.required(this.points.length - 1);
  }

  /** Where the next point is due. */
  get dueCycle(): number {
    return this.newest.cycle + this.interval;
  }

  /** The newest point at or before a cycle; the first one otherwise. */
  at(cycle: number): HistoryPoint {
    return this.points.findLast((point) => point.cycle <= cycle) ?? this.first;
  }

  /** The newest point before a cycle. */
  before(cycle: number): HistoryPoint | undefined {
    return this.points.findLast((point) => point.cycle < cycle);
  }

  /** The first change after a cycle. */
  changeAfter(cycle: number): HistoryPoint | undefined {
    return this.points.find((point) => point.isChange && point.cycle > cycle);
  }

  add(snapshot: MachineSnapshot, cycle: number): void {
    this.points.push({ cycle, snapshot, isChange: false });
    this.limit();
  }

  /** The state at `cycle` is another one from now on: what came after it has not happened. */
  change(snapshot: MachineSnapshot, cycle: number): void {
    this.points = this.points.filter((point) => point.cycle < cycle);
    this.points.push({ cycle, snapshot, isChange: true });
    this.limit();
  }

  private limit(): void {
    while (this.isTooMuch() && this.thin());
  }

  /** Drops every second point that follows from the one before. False if every point must stay. */
  private thin(): boolean {
    const { length } = this.points;
    let sinceKept = 0;
    this.points = this.points.filter(({ isChange }) => {
      sinceKept = isChange || sinceKept === 1 ? 0 : 1;
      return isChange || sinceKept === 0;
    });
    if (this.points.length === length) return false;
    this.interval *= 2;
    return true;
  }

  private isTooMuch(): boolean {
    return this.points.length > this.limits.mostPoints || this.ownBytes() > this.limits.mostBytes;
  }

  private ownBytes(): number {
    let bytes = 0;
    let before: MachineSnapshot['pages'] = [];
    for (const { snapshot } of this.points) {
      for (const [frame, page] of snapshot.pages.entries())
        if (page !== undefined && page !== before[frame]) bytes += page.length;
      before = snapshot.pages;
    }
    return bytes;
  }

  private required(index: number): HistoryPoint {
    const point = this.points[index];
    if (point === undefined) throw new RangeError(`the history has no point ${index}`);
    return point;
  }
}
