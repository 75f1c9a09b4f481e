import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { requireCount } from '../errors.js';

/** A source of numbers that are uniform on [0, 1), with 53 random bits. */
export type Random = () => number;

/**
 * The same seed gives the same numbers, on every machine.
 *
 * The library's own seeding leaves most bits of the state alike: the first number would be nearly 1 for every small
 * seed, and neighbouring seeds would give correlated numbers. So the state is filled from the seed by Steele, Lea and
 * Flood's SplitMix.
 *
 * Throws RMK_ERR_INPUT for a seed that is not a whole number from zero up.
 */
export function seededRandom(seed: number): Random {
  requireCount('the seed', seed, 0);
  let word = BigInt(seed);
  const state = [0, 0].flatMap(() => {
    word = BigInt.asUintN(64, word + 0x9e3779b97f4a7c15n);
    let mixed = BigInt.asUintN(64, (word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    mixed ^= mixed >> 31n;
    return [Number(BigInt.asIntN(32, mixed >> 32n)), Number(BigInt.asIntN(32, mixed))];
  });
  const generator = xoroshiro128plusFromState(state);
  return () => uniformFloat64(generator);
}

/** An exponential variate of the given rate. */
export function exponentialVariate(random: Random, rate: number): number {
  return -Math.log1p(-random()) / rate;
}
