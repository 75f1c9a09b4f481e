/** Most places that are counted at a time. */
const MAX_COUNTED = 1 << 16;

interface Visits {
  count: number;
  /** From this count on it is hot. */
  due: number;
  /** Visits from one time that it is hot to the next. */
  step: number;
}

/** Where execution comes to, and how often. */
export class Heat {
  private readonly places = new Map<number, Visits>();

  /** `hotVisits`: after as many a place is hot, and again after as many more. */
  constructor(private readonly hotVisits: number) {}

  /** Counts a visit. Gives whether the place is hot now. */
  visit(pc: number): boolean {
    const visits = this.places.get(pc);
    if (visits === undefined) {
      if (this.places.size >= MAX_COUNTED) this.places.clear();
      const step = this.hotVisits;
      this.places.set(pc, { count: 1, due: step <= 1 ? 1 + step : step, step });
      return step <= 1;
    }
    visits.count += 1;
    if (visits.count < visits.due) return false;
    visits.due = visits.count + visits.step;
    return true;
  }

  /** What begins at the place was translated: if that is lost, it takes twice as many visits as before. */
  backOff(pc: number): void {
    const visits = this.places.get(pc);
    if (visits === undefined) return;
    visits.step *= 2;
    visits.due = visits.count + visits.step;
  }

  isKnown(pc: number): boolean {
    return this.places.has(pc);
  }
}
