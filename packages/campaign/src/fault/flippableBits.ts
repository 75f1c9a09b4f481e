import { hasCode, type VirtualMachine } from '@rmk/core';

/** For each register the lowest bits of the groups of `width` adjacent bits that can be flipped together. */
export type FlippableBits = ReadonlyMap<string, readonly number[]>;

const REGISTER_BITS = 32;

/** Finds by trying which bits a VM's registers have. The VM is left as it was. */
export async function flippableBits(
  machine: Pick<VirtualMachine, 'registers' | 'readRegister' | 'writeRegister'>,
  width: 1 | 2,
): Promise<FlippableBits> {
  const found = new Map<string, readonly number[]>();
  for (const register of machine.registers) {
    const bits: number[] = [];
    for (let bit = 0; bit + width <= REGISTER_BITS; bit++) {
      if (await canFlip(machine, register, bit, width)) bits.push(bit);
    }
    if (bits.length > 0) found.set(register, bits);
  }
  return found;
}

async function canFlip(
  machine: Pick<VirtualMachine, 'readRegister' | 'writeRegister'>,
  register: string,
  bit: number,
  width: 1 | 2,
): Promise<boolean> {
  const before = await machine.readRegister(register);
  const wanted = before ^ maskOf(bit, width);
  try {
    await machine.writeRegister(register, wanted);
  } catch (error) {
    // The register cannot hold that, or cannot be written at all.
    if (hasCode(error, 'RMK_ERR_INPUT')) return false;
    throw error;
  }
  const after = await machine.readRegister(register);
  await machine.writeRegister(register, before);
  return after === wanted;
}

export function maskOf(bit: number, width: number): bigint {
  return ((1n << BigInt(width)) - 1n) << BigInt(bit);
}
