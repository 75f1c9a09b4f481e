/** States that are eliminated together before what they changed is passed on to the rest of the front. */
const PANEL = 32;
/** Columns that are worked on at a time, so that a panel's rows stay in the cache. */
const COLUMNS = 512;

/**
 * A small chain, as a matrix: the first states of a sparse one that are eliminated together, and all states that they
 * lead to or come from. After {@link eliminate} row k of an eliminated state holds, right of the diagonal, the
 * probabilities of where it leads to, and column k holds, below the diagonal, the rates at which it was entered. The
 * diagonal means nothing.
 */
export class Front {
  readonly size: number;
  readonly rates: Float64Array;

  /** `states` are numbers in the order of elimination, ascending. */
  constructor(readonly states: Int32Array) {
    this.size = states.length;
    this.rates = new Float64Array(this.size * this.size);
  }

  /**
   * Grassmann, Taksar and Heyman's elimination of the first `count` states, each of which leads to some later one: q_ij
   * grows by q_is q_sj / Σ_j q_sj. Fills `exits` with the rates at which they are left.
   */
  eliminate(count: number, exits: Float64Array): void {
    for (let first = 0; first < count; first += PANEL) {
      const end = Math.min(count, first + PANEL);
      for (let k = first; k < end; k++) {
        exits[k] = this.normalise(k);
        for (let i = k + 1; i < end; i++) this.add(i, k, k + 1, this.size);
      }
      for (let i = end; i < this.size; i++) {
        for (let k = first; k < end; k++) this.add(i, k, k + 1, end);
      }
      for (let column = end; column < this.size; column += COLUMNS) {
        this.update(first, end, column, Math.min(this.size, column + COLUMNS));
      }
    }
  }

  /** Turns the rates of state k to later ones into probabilities, and returns their sum. */
  private normalise(k: number): number {
    const { rates, size } = this;
    const [from, to] = [k * size + k + 1, (k + 1) * size];
    let exit = 0;
    for (let at = from; at < to; at++) exit += rates[at] as number;
    for (let at = from; at < to; at++) rates[at] = (rates[at] as number) / exit;
    return exit;
  }

  /** Lets state i go where k leads to, among the columns from `begin` to `end`, as often as it enters k. */
  private add(i: number, k: number, begin: number, end: number): void {
    const { rates, size } = this;
    const rate = rates[i * size + k] as number;
    if (rate === 0) return;
    const shift = (k - i) * size;
    for (let at = i * size + begin; at < i * size + end; at++) {
      rates[at] = (rates[at] as number) + rate * (rates[at + shift] as number);
    }
  }

  /** The same for all states behind a panel: two of them, and four states of the panel, at a time. */
  private update(first: number, panelEnd: number, begin: number, end: number): void {
    const { rates, size } = this;
    for (let i = panelEnd; i < size; i += 2) {
      const row = i * size;
      const hasNext = i + 1 < size;
      const endOfFours = hasNext ? panelEnd - 3 : first;
      let k = first;
      for (; k < endOfFours; k += 4) {
        const at = row + k;
        const a = rates[at] as number;
        const b = rates[at + 1] as number;
        const c = rates[at + 2] as number;
        const d = rates[at + 3] as number;
        const e = rates[at + size] as number;
        const f = rates[at + size + 1] as number;
        const g = rates[at + size + 2] as number;
        const h = rates[at + size + 3] as number;
        // Rates are never negative.
        if (a + b + c + d + e + f + g + h === 0) continue;
        let one = row + begin;
        let two = one + size;
        let [toA, toB] = [k * size + begin, (k + 1) * size + begin];
        let [toC, toD] = [toB + size, toB + 2 * size];
        for (const stop = row + end; one < stop; one++, two++) {
          const w = rates[toA++] as number;
          const x = rates[toB++] as number;
          const y = rates[toC++] as number;
          const z = rates[toD++] as number;
          rates[one] = (rates[one] as number) + (a * w + b * x + (c * y + d * z));
          rates[two] = (rates[two] as number) + (e * w + f * x + (g * y + h * z));
        }
      }
      for (; k < panelEnd; k++) {
        this.add(i, k, begin, end);
        if (hasNext) this.add(i + 1, k, begin, end);
      }
    }
  }
}
