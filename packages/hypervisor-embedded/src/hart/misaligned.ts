import type { HartMemory } from './processor.js';

const PAGE_MASK = 0xfff;

/** The little-endian word, or zero-extended halfword, at any offset of RAM. The access must lie within RAM. */
export function loadMisaligned(memory: HartMemory, offset: number, width: 2 | 4): number {
  const { u8 } = memory;
  let value = 0;
  for (let index = 0; index < width; index += 1) value |= (u8[offset + index] ?? 0) << (8 * index);
  return value;
}

/**
 * Stores a word or halfword at any offset. If the store crosses a page border, reports both pages before it changes a
 * byte.
 */
export function storeMisaligned(memory: HartMemory, offset: number, width: 2 | 4, value: number): void {
  const { u8 } = memory;
  reportPage(memory, offset >>> 12);
  if ((offset & PAGE_MASK) + width > PAGE_MASK + 1) reportPage(memory, (offset >>> 12) + 1);
  for (let index = 0; index < width; index += 1) u8[offset + index] = value >>> (8 * index);
}

function reportPage(memory: HartMemory, frame: number): void {
  if (memory.pageState[frame] !== 0) memory.beforeWrite(frame);
}
