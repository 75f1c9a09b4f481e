/** Median and quartiles of some numbers. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** All zero where there are no numbers. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (share: number): number => {
    const place = Math.max(0, sorted.length - 1) * share;
    const [below = 0, above = below] = sorted.slice(Math.floor(place), Math.floor(place) + 2);
    return below + (place % 1) * (above - below);
  };
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

/** A mean with a 95 % interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/**
 * The mean, over programs, of each program's median, and a 95 % interval by resampling the pairs of each program. The
 * programs are fixed: the interval says how well these were measured, not how much others would differ.
 */
export function meanOfMedians(pairs: readonly (readonly number[])[]): Estimate {
  const measured = pairs.filter(({ length }) => length > 0);
  const mean = meanOf(measured.map((of) => spreadOf(of).median));
  if (measured.length === 0) return { mean, low: mean, high: mean };
  const random = generator();
  const means = Array.from({ length: RESAMPLES }, () =>
    meanOf(measured.map((of) => spreadOf(of.map(() => of[random(of.length)] ?? 0)).median)),
  ).toSorted((one, other) => one - other);
  // Resamples of n vary less than what they are drawn of, by (n - 1) / n: that counts where pairs are few.
  const fewest = Math.min(...measured.map(({ length }) => length));
  const wider = Math.sqrt(fewest / Math.max(1, fewest - 1));
  const at = (share: number): number =>
    mean + wider * ((means[Math.round((RESAMPLES - 1) * share)] ?? mean) - mean);
  return { mean, low: Math.min(mean, at(0.025)), high: Math.max(mean, at(0.975)) };
}

/** Whole numbers below a bound, the same in every run. */
function generator(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
