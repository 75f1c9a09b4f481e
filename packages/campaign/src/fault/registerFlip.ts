import { suggestion } from '@rmk/kernel';
import { z } from 'zod';
import { defineFault } from './faultKind.js';
import { maskOf } from './flippableBits.js';

const options = z.strictObject({
  /** Default: every register that has bits to flip, general, pc and control registers. */
  registers: z.array(z.string()).min(1).optional(),
  /** Adjacent bits that are flipped together. */
  width: z.union([z.literal(1), z.literal(2)]).default(1),
});

/** Registers with equal probability, then one of the bits that the register has (§8.2). */
export const registerFlip = defineFault({
  name: 'register-flip',
  summary: 'inverts a bit, or two adjacent ones, of a register',
  options,
  check({ registers, width }, space) {
    const known = [...space.flippableBits(width).keys()];
    const unknown = registers?.find((register) => !known.includes(register));
    if (unknown === undefined) return undefined;
    return `unknown register ${JSON.stringify(unknown)}, ${suggestion(unknown, known)}`;
  },
  draw(random, { registers, width }, space) {
    const bits = space.flippableBits(width);
    const register = random.of(registers ?? [...bits.keys()]);
    return { register, bit: random.of(bits.get(register) ?? []), width };
  },
  async inject({ machine }, { register, bit, width }) {
    const value = await machine.readRegister(register);
    await machine.writeRegister(register, value ^ maskOf(bit, width));
  },
  describe: ({ register, bit, width }) =>
    width === 1 ? `bit ${bit} of ${register}` : `bits ${bit} and ${bit + 1} of ${register}`,
  register: ({ register }) => register,
});
