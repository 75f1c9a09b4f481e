import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A source of numbers that are uniform on [0, 1), with 53 random bits. */
export type Random = () => number;

/** The same seed gives the same numbers, on every machine. */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

/** An exponential variate of the given rate. */
export function exponentialVariate(random: Random, rate: number): number {
  return -Math.log1p(-random()) / rate;
}
