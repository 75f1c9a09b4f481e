import { NO_RESERVATION, type HartState } from './hartState.js';
import { ExceptionCause } from './privileged.js';
import type { HartMemory } from './processor.js';

/** What {@link executeAtomic} gives when there was no exception. */
export const NO_EXCEPTION = -1;

const LOAD_RESERVED = 0b00010;
const STORE_CONDITIONAL = 0b00011;
const SWAP = 0b00001;
const ADD = 0b00000;
const XOR = 0b00100;
const OR = 0b01000;
const AND = 0b01100;
const MIN = 0b10000;
const MAX = 0b10100;
const MIN_UNSIGNED = 0b11000;
const MAX_UNSIGNED = 0b11100;

/**
 * An instruction of the A extension, at `state.pc`. Atomics work on aligned words of RAM; devices do not take them.
 * Gives the cause of the exception that it raises, or {@link NO_EXCEPTION}.
 *
 * The reservation is one word. SC fails, whatever the memory holds, when it was lost: to any SC, to any store of the
 * hart into the word, to a trap, or to a writer from outside ({@link HartState.breakReservation}).
 */
export function executeAtomic(
  state: HartState,
  memory: HartMemory,
  word: number,
): ExceptionCause | typeof NO_EXCEPTION {
  const operation = word >>> 27;
  if (((word >>> 12) & 7) !== 2 || !isAtomic(operation, word)) return ExceptionCause.ILLEGAL_INSTRUCTION;
  const { x } = state;
  const address = x[(word >>> 15) & 31] ?? 0;
  const loads = operation === LOAD_RESERVED;
  if ((address & 3) !== 0) return loads ? ExceptionCause.LOAD_MISALIGNED : ExceptionCause.STORE_MISALIGNED;
  const offset = (address - memory.base) >>> 0;
  if (offset >= memory.bytes)
    return loads ? ExceptionCause.LOAD_ACCESS_FAULT : ExceptionCause.STORE_ACCESS_FAULT;

  const source = x[(word >>> 20) & 31] ?? 0;
  let result = memory.i32[offset >>> 2] ?? 0;
  if (loads) {
    state.reservation = address;
  } else {
    const reserved = state.reservation === address;
    if (reserved || operation === STORE_CONDITIONAL) state.reservation = NO_RESERVATION;
    if (operation !== STORE_CONDITIONAL) {
      store(memory, offset, combine(operation, result, source));
    } else if (reserved) {
      store(memory, offset, source);
      result = 0;
    } else {
      result = 1;
    }
  }
  const rd = (word >>> 7) & 31;
  if (rd !== 0) x[rd] = result;
  return NO_EXCEPTION;
}

function isAtomic(operation: number, word: number): boolean {
  switch (operation) {
    case LOAD_RESERVED:
      return ((word >>> 20) & 31) === 0;
    case STORE_CONDITIONAL:
    case SWAP:
    case ADD:
    case XOR:
    case OR:
    case AND:
    case MIN:
    case MAX:
    case MIN_UNSIGNED:
    case MAX_UNSIGNED:
      return true;
    default:
      return false;
  }
}

function combine(operation: number, memory: number, register: number): number {
  switch (operation) {
    case ADD:
      return (memory + register) | 0;
    case XOR:
      return memory ^ register;
    case OR:
      return memory | register;
    case AND:
      return memory & register;
    case MIN:
      return memory < register ? memory : register;
    case MAX:
      return memory > register ? memory : register;
    case MIN_UNSIGNED:
      return memory >>> 0 < register >>> 0 ? memory : register;
    case MAX_UNSIGNED:
      return memory >>> 0 > register >>> 0 ? memory : register;
    default:
      return register;
  }
}

function store(memory: HartMemory, offset: number, value: number): void {
  const frame = offset >>> 12;
  if (memory.pageState[frame] !== 0) memory.beforeWrite(frame, offset);
  memory.i32[offset >>> 2] = value;
}
