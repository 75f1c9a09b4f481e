import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { skipN } from 'pure-rand/utils/skipN';
import type { FaultTarget } from './faultTarget.js';

/** A single bit of a register. */
export interface RegisterBit {
  readonly register: string;
  readonly bit: number;
}

/** The general registers of RISC-V that can hold something, and the program counter. */
const REGISTERS: readonly string[] = ['pc', ...Array.from({ length: 31 }, (_, index) => `x${index + 1}`)];
const HIGHEST_BIT = 31;
/** Instructions are 32 bits wide and aligned, so the two lowest bits of the program counter are always 0. */
const LOWEST_PC_BIT = 2;
/** Small seeds leave most of the generator's state zero: its first numbers are nearly the same for all of them. */
const UNMIXED_NUMBERS = 64;

/** Draws single bits of the general registers and the program counter (§8.2), registers with equal probability. */
export class RegisterFlips {
  private readonly random: RandomGenerator;

  constructor(seed: number) {
    this.random = xoroshiro128plus(seed);
    skipN(this.random, UNMIXED_NUMBERS);
  }

  next(): RegisterBit {
    const register = REGISTERS[this.pick(0, REGISTERS.length - 1)] ?? 'pc';
    return { register, bit: this.pick(register === 'pc' ? LOWEST_PC_BIT : 0, HIGHEST_BIT) };
  }

  private pick(from: number, to: number): number {
    return uniformInt(this.random, from, to);
  }
}

/** Inverts one bit of a register. */
export async function flipBit(
  { machine }: Pick<FaultTarget, 'machine'>,
  { register, bit }: RegisterBit,
): Promise<void> {
  await machine.writeRegister(register, (await machine.readRegister(register)) ^ (1n << BigInt(bit)));
}
