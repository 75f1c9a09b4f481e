import { crc32 } from 'node:zlib';
import { PAGE_BYTES } from '@rmk/core';
import type { HypervisorSubject } from './hypervisorSubject.js';

const PAGES_PER_READ = 1024;

/** A checksum for each page of the guest, so that images of large guests can be kept and compared page by page. */
export type MemoryImage = Uint32Array;

/** All memory of the guest. The VM should be suspended. */
export async function memoryImage(subject: HypervisorSubject): Promise<MemoryImage> {
  const { memoryPages } = subject.machine;
  const image = new Uint32Array(memoryPages);
  for (let first = 0; first < memoryPages; first += PAGES_PER_READ) {
    const pages = await readPages(subject, first, Math.min(PAGES_PER_READ, memoryPages - first));
    for (let page = 0; page * PAGE_BYTES < pages.length; page++) {
      image[first + page] = crc32(pages.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
    }
  }
  return image;
}

/** Page frames in which two images differ: shown by a test that fails. */
export function differingFrames(one: MemoryImage, other: MemoryImage): readonly number[] {
  return Array.from(one.keys()).filter((frame) => one[frame] !== other[frame]);
}

/** The memory of a PC has holes: then frames in a row do not lie at addresses in a row. */
async function readPages(subject: HypervisorSubject, first: number, count: number): Promise<Uint8Array> {
  const { machine } = subject;
  const address = subject.addressOf(first);
  if (subject.addressOf(first + count - 1) === address + (count - 1) * PAGE_BYTES) {
    return machine.read(address, count * PAGE_BYTES);
  }
  const pages = new Uint8Array(count * PAGE_BYTES);
  for (let page = 0; page < count; page++) {
    pages.set(await machine.read(subject.addressOf(first + page), PAGE_BYTES), page * PAGE_BYTES);
  }
  return pages;
}
