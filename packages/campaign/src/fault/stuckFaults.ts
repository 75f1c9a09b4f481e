import { durationHint, isDuration, nanoseconds, type Duration, type Nanoseconds } from '@rmk/core';
import { suggestion } from '@rmk/kernel';
import { z } from 'zod';
import type { Sticking } from '../experiment/hardware.js';
import { defineFault, type Injected } from './faultKind.js';
import type { FaultSpace, InjectionTarget } from './injectionTarget.js';

const duration = z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) });
const registers = z.array(z.string()).min(1).optional();
const FOREVER = 'forever';

type StuckRegister = {
  readonly register: string;
  readonly bit: number;
  readonly value: 0 | 1;
  /** 0: forever. */
  readonly lastsNs: Nanoseconds;
};

/** A register's bit keeps a value for a while, whatever is written and restored. */
export const stuckAt = defineFault({
  name: 'stuck-at',
  summary: 'a bit of a register keeps the same value for a while, whatever is written or restored there',
  options: z.strictObject({
    /** Default: every register that has bits to flip. */
    registers,
    /** Domain time. */
    lasts: z.union([duration, z.literal(FOREVER)]).default('100us'),
  }),
  check: ({ registers: given }, space) => unknownRegister(given, space),
  draw(random, { registers: given, lasts }, space): StuckRegister {
    const bits = space.flippableBits(1);
    const register = random.of(given ?? [...bits.keys()]);
    return {
      register,
      bit: random.of(bits.get(register) ?? []),
      value: random.integer(0, 1) === 0 ? 0 : 1,
      lastsNs: lasts === FOREVER ? 0 : nanoseconds(lasts),
    };
  },
  inject: async (target, { register, bit, value, lastsNs }) =>
    new Sticky(target, { register, bit, value }, lastsNs === 0 ? [Infinity] : [lastsNs]),
  describe: ({ register, bit, value, lastsNs }) =>
    `bit ${bit} of ${register} is stuck at ${value} ${lastsNs === 0 ? FOREVER : `for ${lastsNs / 1e3} us`}`,
  register: ({ register }) => register,
});

/** The same for a cell of memory. */
export const stuckAtMemory = defineFault({
  name: 'stuck-at-memory',
  summary: 'a bit of memory keeps the same value for a while, whatever is written or restored there',
  options: z.strictObject({ lasts: z.union([duration, z.literal(FOREVER)]).default('100us') }),
  draw: (random, { lasts }, { ramBase, frames }) => ({
    address: ramBase + random.of(frames) * PAGE + random.integer(0, PAGE - 1),
    bit: random.integer(0, 7),
    value: random.integer(0, 1),
    lastsNs: lasts === FOREVER ? 0 : nanoseconds(lasts),
  }),
  inject: async (target, { address, bit, value, lastsNs }) =>
    new Sticky(target, { address, bit, value: value === 0 ? 0 : 1 }, lastsNs === 0 ? [Infinity] : [lastsNs]),
  describe: ({ address, bit, value, lastsNs }) =>
    `bit ${bit} of the byte at 0x${address.toString(16)} is stuck at ${value} ` +
    (lastsNs === 0 ? FOREVER : `for ${lastsNs / 1e3} us`),
  address: ({ address }) => address,
});

/** The same wrong bit again and again. */
export const intermittent = defineFault({
  name: 'intermittent',
  summary: 'a bit of a register is stuck at the same value now and then, such as a contact that is loose',
  options: z.strictObject({
    registers,
    /** Domain time of each stretch, and of the sound one after it. */
    on: duration.default('1us'),
    off: duration.default('99us'),
    times: z.int().min(1).max(1000).default(10),
  }),
  check: ({ registers: given }, space) => unknownRegister(given, space),
  draw(random, { registers: given, on, off, times }, space) {
    const bits = space.flippableBits(1);
    const register = random.of(given ?? [...bits.keys()]);
    return {
      register,
      bit: random.of(bits.get(register) ?? []),
      value: random.integer(0, 1),
      onNs: nanoseconds(on),
      offNs: nanoseconds(off),
      times,
    };
  },
  inject: async (target, { register, bit, value, onNs, offNs, times }) =>
    new Sticky(
      target,
      { register, bit, value: value === 0 ? 0 : 1 },
      Array.from({ length: 2 * times - 1 }, (_, index) => (index % 2 === 0 ? onNs : offNs)),
    ),
  describe: ({ register, bit, value, onNs, offNs, times }) =>
    `bit ${bit} of ${register} is stuck at ${value} ${times} times for ${onNs / 1e3} us, ${offNs / 1e3} us apart`,
  register: ({ register }) => register,
});

const PAGE = 4096;

type StuckBit = Parameters<InjectionTarget['machine']['hardware']['stick']>[0];

/** Sticks and lets go in turns, in domain time. */
class Sticky implements Injected {
  private sticking: Sticking | undefined;
  private timer: Disposable | undefined;
  private forcedBefore = 0;
  private phase = 0;

  /** `phases`: stuck for the first, sound for the second and so on. */
  constructor(
    private readonly target: InjectionTarget,
    private readonly bit: StuckBit,
    private readonly phases: readonly Nanoseconds[],
  ) {
    this.begin();
  }

  get isPending(): boolean {
    return this.phase < this.phases.length;
  }

  get hasActed(): boolean {
    return this.forcedBefore + (this.sticking?.forced ?? 0) > 0;
  }

  [Symbol.dispose](): void {
    this.timer?.[Symbol.dispose]();
    this.letGo();
    this.phase = this.phases.length;
  }

  private begin(): void {
    const { machine } = this.target;
    const lastsNs = this.phases[this.phase];
    if (lastsNs === undefined) return;
    if (this.phase % 2 === 0) this.sticking = machine.hardware.stick(this.bit);
    if (lastsNs === Infinity) return;
    this.timer = machine.clock.after(lastsNs, () => {
      this.letGo();
      this.phase += 1;
      this.begin();
    });
  }

  private letGo(): void {
    this.forcedBefore += this.sticking?.forced ?? 0;
    this.sticking?.[Symbol.dispose]();
    this.sticking = undefined;
  }
}

function unknownRegister(given: readonly string[] | undefined, space: FaultSpace): string | undefined {
  const known = [...space.flippableBits(1).keys()];
  const unknown = given?.find((register) => !known.includes(register));
  if (unknown === undefined) return undefined;
  return `unknown register ${JSON.stringify(unknown)}, ${suggestion(unknown, known)}`;
}
