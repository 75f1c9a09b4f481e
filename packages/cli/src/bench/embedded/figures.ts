/** Middle and quartiles of some numbers, by the nearest rank. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** All zero where there are no numbers. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? 0;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

export function meanOf(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

export function geometricMeanOf(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : Math.exp(meanOf(numbers.map(Math.log)));
}

/** The mean, and half the width of its 95 % interval by the normal approximation. */
export function meanWithError(numbers: readonly number[]): { readonly mean: number; readonly error: number } {
  const mean = meanOf(numbers);
  if (numbers.length < 2) return { mean, error: 0 };
  const variance = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / (numbers.length - 1);
  return { mean, error: 1.96 * Math.sqrt(variance / numbers.length) };
}
