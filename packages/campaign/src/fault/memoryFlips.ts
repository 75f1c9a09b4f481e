import { PAGE_BYTES } from '@rmk/core';
import { z } from 'zod';
import type { ExperimentRandom } from '../random/experimentRandom.js';
import { defineFault } from './faultKind.js';
import type { FaultSpace } from './injectionTarget.js';

const address = z.int().min(0).max(0xffff_ffff);
/** Default: the pages that the guest uses. */
const options = z.strictObject({
  from: address.optional(),
  to: address.optional(),
});

type Options = z.output<typeof options>;

/** The store path: the page log captures it, and a rollback undoes it. */
export const memoryFlip = defineFault({
  name: 'memory-flip',
  summary: 'inverts a bit of memory by a store, as a wrong value that is computed and written (§2)',
  options,
  check,
  draw,
  async inject({ machine }, { address: at, bit }) {
    const [byte = 0] = await machine.read(at, 1);
    await machine.write(at, Uint8Array.of(byte ^ (1 << bit)));
  },
  describe,
  address: ({ address: at }) => at,
});

/** Outside the paper's fault model. No recovery is promised. */
export const memoryFlipBeneath = defineFault({
  name: 'memory-flip-beneath',
  summary: 'inverts a bit of memory beneath the write protection, which no page log captures',
  options,
  check,
  draw,
  async inject({ machine }, { address: at, bit }) {
    machine.flipMemoryBit(at, bit);
  },
  describe,
  address: ({ address: at }) => at,
});

function check({ from, to }: Options, { ramBase, frames }: FaultSpace): string | undefined {
  if ((from === undefined) !== (to === undefined)) return 'give both from and to, or neither';
  if (from === undefined || to === undefined) return undefined;
  const end = ramBase + ((frames.at(-1) ?? 0) + 1) * PAGE_BYTES - 1;
  if (from <= to && from >= ramBase && to <= end) return undefined;
  return `expected addresses within the memory that the guest uses, 0x${ramBase.toString(16)} to 0x${end.toString(16)}`;
}

function draw(random: ExperimentRandom, { from, to }: Options, { ramBase, frames }: FaultSpace): MemoryBit {
  const at =
    from === undefined || to === undefined
      ? ramBase + random.of(frames) * PAGE_BYTES + random.integer(0, PAGE_BYTES - 1)
      : random.integer(from, to);
  return { address: at, bit: random.integer(0, 7) };
}

type MemoryBit = { readonly address: number; readonly bit: number };

function describe({ address: at, bit }: MemoryBit): string {
  return `bit ${bit} of the byte at 0x${at.toString(16)}`;
}
