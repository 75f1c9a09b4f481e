import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { skipN } from 'pure-rand/utils/skipN';

const UNMIXED_NUMBERS = 64;

/** The random numbers of one experiment. They depend on the seed and the number of the experiment alone. */
export class ExperimentRandom {
  private readonly random: RandomGenerator;

  constructor(seed: number, experiment: number) {
    // Consecutive experiments must not have related numbers: the seed is mixed with the number before it is used.
    this.random = xoroshiro128plus(mixed(mixed(seed) ^ experiment));
    skipN(this.random, UNMIXED_NUMBERS);
  }

  /** Uniform among the whole numbers from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return uniformInt(this.random, from, to);
  }

  /** Uniform among the values. */
  of<T>(values: readonly T[]): T {
    const value = values[this.integer(0, values.length - 1)];
    if (value === undefined) throw new RangeError('nothing to choose from');
    return value;
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.integer(0, 2 ** 32 - 1) < probability * 2 ** 32;
  }
}

/** The finalizer of MurmurHash3: each bit of the result depends on each bit of the number. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16) ^ 0x9e3779b9;
}
