import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObservedSilences, WINDOW } from '../src/observedSilences.js';

/** The same in a list of all, by the sums of exact integers. */
class Reference {
  private all: number[] = [];
  /** Silences that were overwritten in the ring do not come back. */
  private lost = 0;

  add(ns: number): void {
    this.all.push(ns);
    this.lost = Math.max(this.lost, this.all.length - WINDOW);
  }

  forgetSince(count: number): void {
    this.all = this.all.slice(0, count);
    this.lost = Math.min(this.lost, this.all.length);
  }

  get count(): number {
    return this.all.length;
  }

  get kept(): readonly number[] {
    return this.all.slice(this.lost);
  }

  moments(): { readonly mean: number; readonly deviation: number } {
    const values = this.kept.map(BigInt);
    const n = BigInt(values.length);
    const sum = values.reduce((total, value) => total + value, 0n);
    const squares = values.reduce((total, value) => total + value * value, 0n);
    // n Σx² - (Σx)² is n (n - 1) times the unbiased variance.
    return {
      mean: Number(sum) / Number(n),
      deviation: Math.sqrt(Number(n * squares - sum * sum) / Number(n * (n - 1n))),
    };
  }
}

/** From none to all, evenly: fast-check's own doubles crowd at zero. */
const share = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
const nanoseconds = fc.integer({ min: 1, max: 2e9 });
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.array(nanoseconds, { minLength: 1, maxLength: 40 }) }) },
    { weight: 1, arbitrary: fc.record({ repeat: nanoseconds, times: fc.integer({ min: 1, max: 1200 }) }) },
    { weight: 2, arbitrary: fc.record({ keep: share }) },
  ),
  { maxLength: 12 },
);

describe('the silences observed', () => {
  it('are the last thousand less those that are undone, and their mean and deviation are exact', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const silences = new ObservedSilences();
        const reference = new Reference();
        for (const step of script) {
          if ('keep' in step) {
            const count = Math.floor(step.keep * reference.count);
            silences.forgetSince(count);
            reference.forgetSince(count);
          } else {
            const values = 'add' in step ? step.add : Array<number>(step.times).fill(step.repeat);
            for (const value of values) {
              silences.add(value);
              reference.add(value);
            }
          }
          expect([silences.count, silences.kept]).toEqual([reference.count, reference.kept.length]);
          if (silences.kept < 2) continue;
          const { meanNs, deviationNs } = silences.moments();
          const { mean, deviation } = reference.moments();
          expect(Math.abs(meanNs - mean)).toBeLessThanOrEqual(1e-9 * mean);
          expect(Math.abs(deviationNs - deviation)).toBeLessThanOrEqual(1e-9 * mean);
        }
      }),
    );
  });

  it('are no more for a count that is yet to come', () => {
    const silences = new ObservedSilences();
    silences.add(5);
    silences.forgetSince(9);
    expect([silences.count, silences.kept]).toEqual([1, 1]);
  });
});
