/**
 * What `count` gaps, none of them above a threshold, show of the rate of those above: the upper end of Clopper and
 * Pearson's one-sided interval, 1 - (1 - confidence)^(1 / count). At 95 % that is about 3 / count, the rule of three.
 */
export function rateAtMost(count: number, confidence: number): number {
  return count === 0 ? 1 : -Math.expm1(Math.log1p(-confidence) / count);
}

/** Gaps without one above the threshold that show a rate of at most `rate`. */
export function gapsFor(rate: number, confidence: number): number {
  return Math.ceil(Math.log1p(-confidence) / Math.log1p(-rate));
}

/** The least number of two significant digits that is not below `value`. */
export function roundedUp(value: number): number {
  if (value <= 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  const rounded = Math.ceil(value / unit) * unit;
  // As a decimal fraction would be: 0.1 + 0.2 is not 0.3.
  return Number(rounded.toPrecision(2));
}
