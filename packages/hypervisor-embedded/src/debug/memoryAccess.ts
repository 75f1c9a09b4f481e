import type { HartState } from '../hart/hartState.js';
import type { HartMemory } from '../hart/processor.js';
import { nextInstruction } from '../hart/registerUse.js';

/** What an instruction does with memory. */
export interface MemoryAccess {
  /** Guest-physical, of the first byte. */
  readonly address: number;
  readonly bytes: number;
  readonly reads: boolean;
  readonly writes: boolean;
}

const LOAD = 0x03;
const STORE = 0x23;
const AMO = 0x2f;
const LOAD_RESERVED = 0b00010;
const STORE_CONDITIONAL = 0b00011;

/**
 * What the next instruction does with memory, if it raises no exception. A store-conditional that is going to fail
 * writes nothing.
 */
export function nextAccess(state: HartState, memory: HartMemory): MemoryAccess | undefined {
  const word = nextInstruction(state, memory);
  if (word === undefined) return undefined;
  const base = state.x[(word >>> 15) & 31] ?? 0;
  const bytes = 1 << ((word >>> 12) & 3);
  switch (word & 0x7f) {
    case LOAD:
      return { address: (base + (word >> 20)) >>> 0, bytes, reads: true, writes: false };
    case STORE: {
      const offset = ((word >> 25) << 5) | ((word >>> 7) & 31);
      return { address: (base + offset) >>> 0, bytes, reads: false, writes: true };
    }
    case AMO: {
      const operation = word >>> 27;
      const reads = operation !== STORE_CONDITIONAL;
      const writes = reads ? operation !== LOAD_RESERVED : state.reservation === base;
      return { address: base >>> 0, bytes, reads, writes };
    }
    default:
      return undefined;
  }
}
