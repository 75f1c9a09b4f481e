import { RmkError } from '@rmk/core';
import type { HartState } from '../hart/hartState.js';
import { readRegister, writeRegister } from '../hart/registers.js';
import { checkBit } from '../memory/checksum.js';
import type { GuestMemory } from '../memory/guestMemory.js';

/** A bit that keeps its value, whatever is written there. */
export type StuckPlace =
  | {
      readonly register: string;
      readonly bit: number;
      readonly value: 0 | 1;
      /** Of the host: the fault stays behind when the VM moves. Default: the present one. */
      readonly core?: number;
    }
  | { readonly address: number; readonly bit: number; readonly value: 0 | 1 };

/** A stuck bit, until it is disposed of. What it has changed stays changed. */
export interface StuckBit extends Disposable {
  /** How often the bit would have had the other value. */
  readonly forced: number;
}

/** Sets the bit to its value. True if it had the other one. */
export type Force = () => boolean;

const REGISTER_BYTES = 4;

/** Throws `RMK_ERR_INPUT` for a bit that the register does not have. */
export function forceRegister(state: HartState, name: string, bit: number, value: 0 | 1): Force {
  checkBit(bit, REGISTER_BYTES);
  const mask = 1n << BigInt(bit);
  const before = readRegister(state, name);
  writeRegister(state, name, before ^ mask);
  const isFlipped = readRegister(state, name) === (before ^ mask);
  writeRegister(state, name, before);
  if (!isFlipped) throw noSuchBitError(name, bit);
  return () => {
    const now = readRegister(state, name);
    if ((now & mask) === (value === 0 ? 0n : mask)) return false;
    writeRegister(state, name, now ^ mask);
    return true;
  };
}

/** Beneath the write protection: no page log captures what a cell does by itself. */
export function forceMemory(memory: GuestMemory, offset: number, bit: number, value: 0 | 1): Force {
  checkBit(bit, 1);
  return () => {
    if ((((memory.u8[offset] ?? 0) >>> bit) & 1) === value) return false;
    memory.flipBit(offset, bit);
    return true;
  };
}

function noSuchBitError(register: string, bit: number): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `bit ${bit} of register '${register}' has a fixed value; choose a bit that can change`,
  );
}
