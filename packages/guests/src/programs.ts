import { RmkError } from '@rmk/core';
import { bootFile, type BootFile } from './bootFile.js';
import { readElf } from './elf.js';

/** What each program for measurements does most of. */
export const PROGRAMS = {
  bits: 'bit manipulation',
  copies: 'copies of memory',
  crypto: 'cryptography',
  hashing: 'hashing',
  lists: 'pointer chasing',
  matrix: 'matrices of integers',
  parsing: 'parsing',
  primes: 'integer arithmetic',
  recursion: 'recursion',
  reedsolomon: 'tables',
  sorting: 'sorting',
  states: 'state machines',
} as const;

export type ProgramName = keyof typeof PROGRAMS;

/** The ELF of a program for measurements. Throws RMK_ERR_UNKNOWN for any other name. */
export function readProgram(name: ProgramName): Uint8Array {
  return readElf('program', name, PROGRAMS);
}

/**
 * The boot file that has a program take so many rounds, instead of as many as make it take 100 to 400 million
 * instructions.
 */
export function programRounds(rounds: number): BootFile {
  if (!Number.isInteger(rounds) || rounds < 0 || rounds > 0xffff_ffff) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `a program cannot take ${rounds} rounds. Give a whole number that fits 32 bits.`,
    );
  }
  const data = new Uint8Array(Uint32Array.BYTES_PER_ELEMENT);
  new DataView(data.buffer).setUint32(0, rounds, true);
  return bootFile(data, 'rounds');
}
