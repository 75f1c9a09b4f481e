import type { Nanoseconds } from '@rmk/core';

/** Silences that are kept: the most recent ones. */
export const WINDOW = 1000;

/** Mean and standard deviation of the silences that are kept. */
export interface Moments {
  readonly meanNs: Nanoseconds;
  readonly deviationNs: Nanoseconds;
}

/** The silences between the beats of a guest, the last {@link WINDOW} of them. Its memory does not grow. */
export class ObservedSilences {
  private readonly ring = new Float64Array(WINDOW);
  private added = 0;
  /** Index of the oldest one kept. What `forgetSince` leaves may be less than a window. */
  private oldest = 0;

  /** How many were observed, those that are no longer kept included. */
  get count(): number {
    return this.added;
  }

  /** How many are kept. */
  get kept(): number {
    return this.added - this.oldest;
  }

  add(silenceNs: Nanoseconds): void {
    this.ring[this.added % WINDOW] = silenceNs;
    this.added += 1;
    if (this.kept > WINDOW) this.oldest += 1;
  }

  /** Forgets all but the first `count`: the others are undone. */
  forgetSince(count: number): void {
    this.added = Math.min(this.added, count);
    this.oldest = Math.min(this.oldest, this.added);
  }

  /** Unbiased variance. At least two silences have to be kept. */
  moments(): Moments {
    const { kept, oldest, added, ring } = this;
    let sum = 0;
    for (let index = oldest; index < added; index++) sum += ring[index % WINDOW] ?? 0;
    const meanNs = sum / kept;
    let squares = 0;
    for (let index = oldest; index < added; index++) squares += ((ring[index % WINDOW] ?? 0) - meanNs) ** 2;
    return { meanNs, deviationNs: Math.sqrt(squares / (kept - 1)) };
  }
}
