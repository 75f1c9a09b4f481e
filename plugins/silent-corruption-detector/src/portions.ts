import { PAGE_BYTES } from '@rmk/core';

/** A stretch of guest-physical memory that does not change while the guest is healthy. */
export interface Region {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
}

/** The part of a region that lies in one page frame. */
export interface Block {
  /** Which of the regions. */
  readonly region: number;
  readonly address: number;
  readonly bytes: number;
}

/** Blocks that lie one after the other, to be read at once. */
export interface Stretch {
  readonly address: number;
  readonly bytes: number;
  readonly blocks: readonly Block[];
}

/** What is looked at in one epoch. */
export type Portion = readonly Stretch[];

/** Divides the regions, in their order, into at most `epochs` portions of about as many blocks each. */
export function portionsOf(regions: readonly Region[], epochs: number): readonly Portion[] {
  const blocks = regions.flatMap(blocksOf);
  const blocksEach = Math.ceil(blocks.length / epochs);
  return Array.from({ length: Math.ceil(blocks.length / blocksEach) }, (_, index) =>
    stretchesOf(blocks.slice(index * blocksEach, (index + 1) * blocksEach)),
  );
}

function blocksOf({ address, bytes }: Region, region: number): readonly Block[] {
  const firstFrame = Math.floor(address / PAGE_BYTES);
  const frames = Math.ceil((address + bytes) / PAGE_BYTES) - firstFrame;
  return Array.from({ length: frames }, (_, index) => {
    const from = Math.max(address, (firstFrame + index) * PAGE_BYTES);
    const to = Math.min(address + bytes, (firstFrame + index + 1) * PAGE_BYTES);
    return { region, address: from, bytes: to - from };
  });
}

function stretchesOf(blocks: readonly Block[]): Portion {
  const stretches: { readonly address: number; bytes: number; readonly blocks: Block[] }[] = [];
  for (const block of blocks) {
    const last = stretches.at(-1);
    if (last !== undefined && last.address + last.bytes === block.address) {
      last.bytes += block.bytes;
      last.blocks.push(block);
    } else {
      stretches.push({ address: block.address, bytes: block.bytes, blocks: [block] });
    }
  }
  return stretches;
}
