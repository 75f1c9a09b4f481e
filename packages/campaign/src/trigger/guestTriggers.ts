import { durationHint, isDuration, nanoseconds, type Duration } from '@rmk/core';
import { z } from 'zod';
import { defineTrigger } from './triggerKind.js';

/** Most instructions after the drawn moment through which a place is waited for. */
const MOST_INSTRUCTIONS = 2_000_000;

export const atTime = defineTrigger({
  name: 'time',
  summary: 'at a guest time',
  options: z.strictObject({
    at: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }),
  }),
  from: ({ at }) => nanoseconds(at),
  reach: async () => true,
});

export const atInstruction = defineTrigger({
  name: 'instruction',
  summary: 'before the instruction with this number, counted from the boot',
  options: z.strictObject({ count: z.int().min(0) }),
  from: ({ count }, golden) => golden.beforeInstruction(count),
  async reach({ machine, advance, cycleNs }, { count }) {
    while (machine.instructions < count && machine.exitCode === undefined) {
      const before = machine.guestNs;
      // An instruction takes a cycle at least, so this comes no further than `count`.
      await advance(`${(count - machine.instructions) * cycleNs}ns`);
      if (machine.guestNs === before) return false;
    }
    return machine.exitCode === undefined;
  },
});

export const atAddress = defineTrigger({
  name: 'address',
  summary: 'where the instruction at this address is next, from the drawn moment on',
  options: z.strictObject({ address: z.int().min(0).max(0xffff_ffff) }),
  reach: async ({ machine }, { address }) => machine.runTo(address, MOST_INSTRUCTIONS),
});

export const atSymbol = defineTrigger({
  name: 'symbol',
  summary: 'where the instruction at this symbol is next, from the drawn moment on',
  options: z.strictObject({ symbol: z.string() }),
  check({ symbol }, space) {
    if (space.symbol(symbol) !== undefined) return undefined;
    return `the guest has no symbol ${symbol}. Name one that its ELF has`;
  },
  reach: async ({ machine, symbol: addressOf }, { symbol }) =>
    machine.runTo(Number(addressOf(symbol)), MOST_INSTRUCTIONS),
});
