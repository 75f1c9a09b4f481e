/** The middle of some measurements, and the quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(measurements: readonly number[]): Spread {
  const ascending = measurements.toSorted((one, other) => one - other);
  const at = (part: number): number => ascending[Math.round((ascending.length - 1) * part)] ?? Number.NaN;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}
