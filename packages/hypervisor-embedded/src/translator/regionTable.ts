import { diagnose } from '@rmk/core';
import type { TranslatableMemory } from '../memory/translatableMemory.js';
import { WebAssembly } from '../webAssembly.js';
import type { Growth } from './growth.js';
import type { Region } from './region.js';
import { ENTRY_BITS } from './regionCode.js';
import { regionModule } from './regionModule.js';
import { RegionSource } from './regionSource.js';
import { Slots } from './slots.js';
import type { RegionFunction, Translation } from './translation.js';
import { Way } from './way.js';

/** Slots that a region may ask for at most. */
const SLOTS_KEPT_FREE = 1 << 13;
const MAX_ID = (1 << (32 - ENTRY_BITS)) - 1;

/** What is kept of regions at most. */
export interface Bounds {
  readonly regions: number;
  /** Of all modules together; what V8 compiles them to takes several times as much. */
  readonly moduleBytes: number;
}

/** What translated code calls. Both are given the rest of the budget and the program counter. */
export interface CalledByRegions {
  /** Before a store to a page that is protected or holds code. Gives 1 where code is gone. */
  readonly guard: (address: number, remaining: number, pc: number) => number;
  /** Lays the value of a CSR into the memory. Gives 0 where reading it is illegal. */
  readonly readCsr: (number: number, remaining: number, pc: number) => number;
}

/** The regions in use, by the places where they can be entered. */
export class RegionTable {
  private readonly slots: Slots;
  /** The one that was used longest ago comes first, as far as that is known. */
  private readonly regions = new Map<number, Translation>();
  private readonly ways = new Map<number, Way>();
  private readonly byFrame = new Map<number, Set<Translation>>();
  /** Those that are not linked, by their entries. */
  private readonly unlinkedAt = new Map<number, Set<Translation>>();
  private moduleBytes = 0;
  private lastId = 0;
  private hasFailed = false;

  constructor(
    private readonly memory: TranslatableMemory,
    private readonly called: CalledByRegions,
    private readonly bounds: Bounds,
  ) {
    this.slots = new Slots(memory);
  }

  get size(): number {
    return this.regions.size;
  }

  at(pc: number): Way | undefined {
    return this.ways.get(pc);
  }

  /** Executes from a way's slot on, with a budget of instructions; gives what is left of it. */
  run(remaining: number, { slot }: Way): number {
    return this.slots.dispatch(remaining, slot);
  }

  /** The region that was translated as this number, while it lives. */
  region(id: number): Translation | undefined {
    return this.regions.get(id);
  }

  /** A region that holds the instruction at `pc`, which lies in a page frame. */
  holding(pc: number, frame: number): Translation | undefined {
    for (const translation of this.byFrame.get(frame) ?? []) {
      const isInUse = translation.isLinked || translation.run === undefined;
      if (isInUse && translation.places.includes(pc)) return translation;
    }
    return undefined;
  }

  /** Lets indirect jumps to `pc` find its region. Returns whether there is one. */
  cache(pc: number): boolean {
    if (!this.ways.has(pc)) return false;
    this.slots.cache(pc);
    return true;
  }

  /**
   * Makes a module of a region, and from then on executes it. V8 compiles it with its fast compiler when it is entered
   * first, and on other threads with the optimising one once it has run for long. If that fails, the interpreter
   * executes the region until it is written to. `replaces`: the smaller one whose place it takes.
   */
  add(region: Region, growth: Growth, replaces: Translation | undefined): void {
    const translation = this.announce(region, growth, replaces);
    try {
      // First, because it can fail: then the one that it replaces stays.
      this.compile(translation, region);
    } catch (error) {
      this.fail(replaces, error);
      return;
    }
    if (replaces !== undefined) this.remove(replaces);
    this.link(translation);
  }

  /** The regions that hold instructions of a page frame cannot be entered any more. */
  unlinkFrame(frame: number): void {
    for (const translation of this.byFrame.get(frame) ?? []) {
      translation.differs = false;
      if (translation.run === undefined) this.remove(translation);
      else if (translation.isLinked) this.unlink(translation);
    }
  }

  /**
   * A region that has an entry at `pc`, cannot be entered, and whose code is in memory again. `isAgain`: compares also
   * those that were found to differ.
   */
  returned(pc: number, isAgain: boolean): Translation | undefined {
    for (const translation of this.unlinkedAt.get(pc) ?? []) {
      if (translation.differs && !isAgain) continue;
      if (translation.source.isThere()) return translation;
      translation.differs = true;
    }
    return undefined;
  }

  /** Lets a region be entered: what it was translated from is in memory. */
  link(translation: Translation): void {
    const { id, run, entries } = translation;
    if (run === undefined) return;
    translation.isLinked = true;
    entries.forEach((pc, entry) => {
      this.deleteUnlinked(pc, translation);
      if (this.ways.has(pc)) return;
      this.ways.set(pc, new Way(this.slots.at(pc), translation));
      this.slots.open(pc, run, id, entry);
    });
  }

  private unlink(translation: Translation): void {
    translation.isLinked = false;
    for (const pc of translation.entries) {
      const unlinked = this.unlinkedAt.get(pc) ?? new Set();
      this.unlinkedAt.set(pc, unlinked.add(translation));
      this.leave(pc, translation);
    }
  }

  /** From here on a write to its code ends the region. */
  private announce(region: Region, growth: Growth, kept: Translation | undefined): Translation {
    this.makeRoom(kept);
    const { entries, places, frames, instructions, lines } = region;
    const translation: Translation = {
      id: (this.lastId += 1),
      entries: entries.map(({ pc }) => pc),
      places: Int32Array.from(places),
      frames,
      instructions,
      source: new RegionSource(this.memory.i32, lines),
      growth,
      named: new Set(),
      bytes: 0,
      run: undefined,
      isLinked: false,
      differs: false,
    };
    this.regions.set(translation.id, translation);
    for (const frame of frames) {
      const inFrame = this.byFrame.get(frame) ?? new Set();
      this.byFrame.set(frame, inFrame.add(translation));
    }
    return translation;
  }

  private compile(translation: Translation, region: Region): void {
    const { memory, called } = this;
    const { id, named } = translation;
    const slotOf = (pc: number): number => {
      if (named.has(pc)) return this.slots.at(pc);
      named.add(pc);
      return this.slots.take(pc);
    };
    translation.entries.forEach(slotOf);
    const bytes = regionModule(region, memory.layout, id, slotOf);
    translation.run = new WebAssembly.Instance<{ readonly r: RegionFunction }>(
      new WebAssembly.Module(bytes),
      { e: { m: memory.wasmMemory, g: called.guard, c: called.readCsr } },
    ).exports.r;
    translation.bytes = bytes.length;
    this.moduleBytes += bytes.length;
  }

  /**
   * The translation stays, not compiled, so that its code is not compiled in vain again. Reported once for all of them.
   */
  private fail(replaces: Translation | undefined, error: unknown): void {
    replaces?.growth.refuse();
    if (this.hasFailed) return;
    this.hasFailed = true;
    diagnose('hypervisor', 'guest code could not be compiled, and is interpreted', error);
  }

  /** Before a region is made: ends others where there are too many, but not the one that it is to replace. */
  private makeRoom(kept: Translation | undefined): void {
    if (this.lastId === MAX_ID) {
      for (const translation of this.regions.values()) this.remove(translation);
      this.lastId = 0;
    }
    while (this.isFull && this.evict(kept));
  }

  private get isFull(): boolean {
    const { size } = this.regions;
    if (size === 0) return false;
    const { bounds, moduleBytes, slots } = this;
    return size >= bounds.regions || moduleBytes >= bounds.moduleBytes || slots.left < SLOTS_KEPT_FREE;
  }

  /** Ends the first region that has not been entered since it was last looked at. False if only `kept` is left. */
  private evict(kept: Translation | undefined): boolean {
    const isLast = kept !== undefined && this.regions.size === 1 && this.regions.get(kept.id) === kept;
    if (isLast) return false;
    for (const translation of this.regions.values()) {
      if (translation !== kept && !this.takeUse(translation)) {
        this.remove(translation);
        return true;
      }
      this.regions.delete(translation.id);
      this.regions.set(translation.id, translation);
    }
    return false;
  }

  private takeUse({ entries }: Translation): boolean {
    let wasUsed = false;
    for (const pc of entries) if (this.slots.takeUse(pc)) wasUsed = true;
    return wasUsed;
  }

  private remove(translation: Translation): void {
    if (this.regions.get(translation.id) !== translation) return;
    this.regions.delete(translation.id);
    this.moduleBytes -= translation.bytes;
    for (const frame of translation.frames) this.byFrame.get(frame)?.delete(translation);
    for (const pc of translation.entries) {
      this.deleteUnlinked(pc, translation);
      this.leave(pc, translation);
    }
    for (const pc of translation.named) this.slots.release(pc);
  }

  private deleteUnlinked(pc: number, translation: Translation): void {
    const unlinked = this.unlinkedAt.get(pc);
    if (unlinked?.delete(translation) === true && unlinked.size === 0) this.unlinkedAt.delete(pc);
  }

  /** Nothing leads to a region's entry at `pc` any more. */
  private leave(pc: number, translation: Translation): void {
    if (this.ways.get(pc)?.owner !== translation) return;
    this.ways.delete(pc);
    this.slots.close(pc);
  }
}
