import { PAGE_BYTES } from '@rmk/core';
import type { PageSums } from './pageSums.js';

/** No entry: the end of a log, or no room. */
export const NO_ENTRY = -1;

const ABSENT = 1;
const PRE_SAVED = 2;
const WRITTEN = 4;

/** The entries of one page log: a chain through the log area, oldest first. Plain data that the area works on. */
export class LogChain {
  first = NO_ENTRY;
  last = NO_ENTRY;
  entries = 0;
  released = false;

  /**
   * `epoch`: the one whose prior contents it holds. `previousEpoch`: the one that ended where it began; after a
   * rollback these are not numbered in a row. `generation`: of the area, since {@link LogArea.clear} discards every
   * chain.
   */
  constructor(
    readonly area: LogArea,
    readonly epoch: number,
    readonly previousEpoch: number | undefined,
    readonly generation: number,
  ) {}
}

/**
 * A fixed number of page-sized entries behind guest RAM, in the same WebAssembly memory: an entry is taken at the
 * first write to a page, while the guest waits, so nothing here allocates.
 */
export class LogArea {
  readonly capacity: number;
  private readonly firstByte: number;
  private readonly frames: Uint32Array;
  private readonly checksums: Uint32Array;
  private readonly flags: Uint8Array;
  private readonly next: Int32Array;
  /** Entries that were used and freed. */
  private firstFree = NO_ENTRY;
  /** From here on no entry was used yet: nothing has to be set up for as many entries as there can be. */
  private firstUnused = 0;
  private freeEntries = 0;
  private generation = 0;

  /** `bytes`: a view of the whole memory; the area is what lies behind `firstByte`. `sums`: of the same memory. */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly sums: PageSums,
    firstByte: number,
  ) {
    this.firstByte = firstByte;
    this.capacity = Math.floor((bytes.length - firstByte) / PAGE_BYTES);
    this.frames = new Uint32Array(this.capacity);
    this.checksums = new Uint32Array(this.capacity);
    this.flags = new Uint8Array(this.capacity);
    this.next = new Int32Array(this.capacity);
    this.clear();
  }

  get free(): number {
    return this.freeEntries;
  }

  /** Frees every entry and discards every chain. */
  clear(): void {
    this.generation++;
    this.firstFree = NO_ENTRY;
    this.firstUnused = 0;
    this.freeEntries = this.capacity;
  }

  openChain(epoch: number, previousEpoch: number | undefined): LogChain {
    return new LogChain(this, epoch, previousEpoch, this.generation);
  }

  isUsable(chain: LogChain): boolean {
    return chain.area === this && !chain.released && chain.generation === this.generation;
  }

  /** Saves the page at `byteOffset` of guest RAM as the prior content of `frame`. False where there is no room. */
  save(chain: LogChain, frame: number, byteOffset: number, absent: boolean, preSaved: boolean): boolean {
    if (this.freeEntries === 0) return false;
    let entry = this.firstFree;
    if (entry === NO_ENTRY) entry = this.firstUnused++;
    else this.firstFree = this.next[entry] as number;
    this.freeEntries--;
    this.frames[entry] = frame;
    this.flags[entry] = (absent ? ABSENT : 0) | (preSaved ? PRE_SAVED : 0);
    if (!absent) {
      // The page frame seeds the sum, so that an entry cannot pass for another page's.
      this.checksums[entry] = this.sums.copy(byteOffset, this.byteOffset(entry), frame);
    }
    this.next[entry] = NO_ENTRY;
    if (chain.last === NO_ENTRY) chain.first = entry;
    else this.next[chain.last] = entry;
    chain.last = entry;
    chain.entries++;
    return true;
  }

  release(chain: LogChain): void {
    const usable = this.isUsable(chain);
    chain.released = true;
    if (!usable || chain.last === NO_ENTRY) return;
    this.next[chain.last] = this.firstFree;
    this.firstFree = chain.first;
    this.freeEntries += chain.entries;
    chain.first = NO_ENTRY;
    chain.last = NO_ENTRY;
  }

  after(entry: number): number {
    return this.next[entry] as number;
  }

  frame(entry: number): number {
    return this.frames[entry] as number;
  }

  /** Copies the saved page to `byteOffset` of guest RAM. */
  copyOut(entry: number, byteOffset: number): void {
    const from = this.byteOffset(entry);
    this.bytes.copyWithin(byteOffset, from, from + PAGE_BYTES);
  }

  /** A copy of the saved page. */
  read(entry: number): Uint8Array {
    const from = this.byteOffset(entry);
    return this.bytes.slice(from, from + PAGE_BYTES);
  }

  /** Flips one bit of a saved page: what a fault in the memory of the checkpoints does. */
  flipBit(entry: number, bit: number): void {
    const at = this.byteOffset(entry) + (bit >>> 3);
    this.bytes[at] = (this.bytes[at] as number) ^ (1 << (bit & 7));
  }

  isAbsent(entry: number): boolean {
    return ((this.flags[entry] as number) & ABSENT) !== 0;
  }

  isPreSaved(entry: number): boolean {
    return ((this.flags[entry] as number) & PRE_SAVED) !== 0;
  }

  /** Whether the page was written in the log's epoch; known once the epoch has been closed. */
  isWritten(entry: number): boolean {
    return ((this.flags[entry] as number) & WRITTEN) !== 0;
  }

  setWritten(entry: number, written: boolean): void {
    const flags = this.flags[entry] as number;
    this.flags[entry] = written ? flags | WRITTEN : flags & ~WRITTEN;
  }

  isIntact(entry: number): boolean {
    return (
      this.isAbsent(entry) ||
      (this.checksums[entry] as number) === this.sums.sum(this.byteOffset(entry), this.frame(entry)) >>> 0
    );
  }

  private byteOffset(entry: number): number {
    return this.firstByte + entry * PAGE_BYTES;
  }
}
