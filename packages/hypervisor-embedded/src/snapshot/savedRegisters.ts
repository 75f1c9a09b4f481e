import { HartState } from '../hart/hartState.js';

const WORD = 4;

/** Where `HartState.save` puts each register that can be named, in bytes. */
const PLACES: readonly { readonly name: string; readonly at: number; readonly bytes: number }[] = [
  ...Array.from({ length: 31 }, (_, index) => ({
    name: `x${index + 1}`,
    at: WORD * (index + 1),
    bytes: WORD,
  })),
  ...['pc', 'mstatus', 'mie', 'mtvec', 'mscratch', 'mepc', 'mcause', 'mtval', 'mcounteren'].map(
    (name, index) => ({ name, at: WORD * (32 + index), bytes: WORD }),
  ),
  { name: 'privilege', at: WORD * 43, bytes: 1 },
];

/** Names of the registers in which two saved contexts differ, and whether anything else differs. */
export function registerDifferences(
  mine: Uint8Array,
  theirs: Uint8Array,
): { readonly registers: readonly string[]; readonly other: boolean } {
  if (Buffer.compare(mine, theirs) === 0) return { registers: [], other: false };
  const registers = PLACES.filter(({ at, bytes }) => !equal(mine, theirs, at, bytes)).map(({ name }) => name);
  const rest = mine.slice();
  for (const { at, bytes } of PLACES) rest.set(theirs.subarray(at, at + bytes), at);
  return { registers, other: Buffer.compare(rest, theirs) !== 0 };
}

/** The part of a saved context that an endless loop leaves as it is: everything of the hart but its counters. */
export function withoutCounters(context: Uint8Array): Uint8Array {
  return context.subarray(0, HartState.COUNTERS_AT);
}

function equal(mine: Uint8Array, theirs: Uint8Array, at: number, bytes: number): boolean {
  return Buffer.compare(mine.subarray(at, at + bytes), theirs.subarray(at, at + bytes)) === 0;
}
