import { diagnose } from '@rmk/core';
import type { TranslatableMemory } from '../memory/translatableMemory.js';
import { WebAssembly } from '../webAssembly.js';
import type { Region } from './region.js';
import { ENTRY_BITS } from './regionCode.js';
import { regionModule, wayBackModule } from './regionModule.js';
import { RegionSource } from './regionSource.js';
import type { RegionFunction, Translation } from './translation.js';

/** A place where translated code can be entered. */
export interface Way {
  readonly run: RegionFunction;
  readonly entry: number;
}

/** Slots that a region may ask for at most; where fewer are free, all regions go. */
const SLOTS_KEPT_FREE = 1 << 13;
const NO_PC = 1;
const NO_ENTRY = 0;
const MAX_ID = (1 << (32 - ENTRY_BITS)) - 1;

/**
 * The regions that live. Regions go on in each other through slots of a table: each place that one leads to has a slot,
 * which holds the region that has an entry there or, without one, the way back to the translator.
 */
export class RegionTable {
  private readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  private readonly unlinked: RegionFunction;
  private readonly regions = new Map<number, Translation>();
  private readonly ways = new Map<number, Way & { readonly owner: Translation }>();
  private readonly slots = new Map<number, number>();
  private readonly byFrame = new Map<number, Set<Translation>>();
  /** Those that are not linked, by their entries. */
  private readonly unlinkedAt = new Map<number, Set<Translation>>();
  private lastId = 0;
  private hasFailed = false;

  /**
   * `guard`: called by translated code before a store to a page that is protected or holds code. `maxRegions`: beyond
   * that the oldest half ends.
   */
  constructor(
    private readonly memory: TranslatableMemory,
    private readonly guard: (address: number, remaining: number, pc: number) => number,
    private readonly maxRegions: number,
  ) {
    this.unlinked = this.instantiate(new WebAssembly.Module(wayBackModule(memory.layout)));
    this.fill(0);
    this.clearSlots();
  }

  get size(): number {
    return this.regions.size;
  }

  at(pc: number): Way | undefined {
    return this.ways.get(pc);
  }

  /** The region that was translated as this number, while it lives. */
  region(id: number): Translation | undefined {
    return this.regions.get(id);
  }

  /** A region that holds the instruction at `pc`, which lies in a page frame. */
  holding(pc: number, frame: number): Translation | undefined {
    for (const translation of this.byFrame.get(frame) ?? [])
      if (translation.region.places.has(pc) && (translation.isLinked || translation.run === undefined))
        return translation;
    return undefined;
  }

  /** Lets indirect jumps to `pc` find its region. Gives whether there is one. */
  cache(pc: number): boolean {
    if (!this.ways.has(pc)) return false;
    const { words, layout } = this.memory;
    const entry = (layout.jumpCache >>> 2) + 2 * ((pc >>> 1) & (layout.jumpCacheEntries - 1));
    words[entry] = pc;
    words[entry + 1] = this.slotOf(pc);
    return true;
  }

  private readonly slotOf = (pc: number): number => {
    const known = this.slots.get(pc);
    if (known !== undefined) return known;
    const slot = this.slots.size;
    if (slot === this.table.length) {
      this.table.grow(slot);
      this.fill(slot);
    }
    this.slots.set(pc, slot);
    return slot;
  };

  /**
   * Makes a module of a region, and from then on executes it. V8 compiles it with its fast compiler when it is entered
   * first, and on other threads with the optimising one once it has run for long. If that fails, the interpreter
   * executes the region until it is written to.
   */
  add(region: Region, asked: readonly number[], replaces: Translation | undefined): void {
    const translation = this.announce(region, asked);
    try {
      // First, because it can fail: then the one that it replaces stays.
      translation.run = this.instantiate(new WebAssembly.Module(this.moduleOf(translation)));
    } catch (error) {
      this.fail(translation, replaces, error);
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
    const { id, run, region } = translation;
    if (run === undefined) return;
    translation.isLinked = true;
    region.entries.forEach(({ pc }, entry) => {
      this.deleteUnlinked(pc, translation);
      if (this.ways.has(pc)) return;
      this.ways.set(pc, { run, entry, owner: translation });
      this.setSlot(pc, run, (id << ENTRY_BITS) | entry);
    });
  }

  private unlink(translation: Translation): void {
    translation.isLinked = false;
    for (const { pc } of translation.region.entries) {
      const unlinked = this.unlinkedAt.get(pc) ?? new Set();
      this.unlinkedAt.set(pc, unlinked.add(translation));
      this.leave(pc, translation);
    }
  }

  /** From here on a write to its code ends the region. */
  private announce(region: Region, asked: readonly number[]): Translation {
    this.makeRoom();
    const translation: Translation = {
      id: (this.lastId += 1),
      region,
      asked,
      source: new RegionSource(this.memory.i32, region.lines),
      refused: new Set(),
      run: undefined,
      isLinked: false,
      differs: false,
    };
    this.regions.set(translation.id, translation);
    for (const frame of region.frames) {
      const inFrame = this.byFrame.get(frame) ?? new Set();
      this.byFrame.set(frame, inFrame.add(translation));
    }
    return translation;
  }

  private moduleOf({ id, region }: Translation): Uint8Array {
    return regionModule(region, this.memory.layout, id, this.slotOf);
  }

  /**
   * The translation stays, not compiled, so that its code is not compiled in vain again. Reported once for all of them.
   */
  private fail({ asked }: Translation, replaces: Translation | undefined, error: unknown): void {
    const place = asked.at(-1);
    if (place !== undefined) replaces?.refused.add(place);
    if (this.hasFailed) return;
    this.hasFailed = true;
    diagnose('hypervisor', 'guest code could not be compiled, and is interpreted', error);
  }

  /** Before a region is made, since it names slots: ends others where there are too many. */
  private makeRoom(): void {
    if (this.slots.size >= this.memory.layout.slots - SLOTS_KEPT_FREE || this.lastId === MAX_ID) this.clear();
    else if (this.regions.size >= this.maxRegions) this.evictHalf();
  }

  private setSlot(pc: number, run: RegionFunction, word: number): void {
    const { words, layout } = this.memory;
    const slot = this.slotOf(pc);
    this.table.set(slot, run);
    words[(layout.slotEntries >>> 2) + slot] = word;
  }

  private evictHalf(): void {
    for (const translation of this.regions.values()) {
      this.remove(translation);
      if (this.regions.size <= this.maxRegions / 2) return;
    }
  }

  private clear(): void {
    for (const translation of this.regions.values()) this.remove(translation);
    this.slots.clear();
    this.lastId = 0;
    this.clearSlots();
  }

  /** No program counter is odd, so that an empty entry is found by none. */
  private clearSlots(): void {
    const { words, layout } = this.memory;
    const first = layout.jumpCache >>> 2;
    words.fill(NO_PC, first, first + 2 * layout.jumpCacheEntries);
  }

  private remove(translation: Translation): void {
    const { id, region } = translation;
    this.regions.delete(id);
    for (const frame of region.frames) this.byFrame.get(frame)?.delete(translation);
    for (const { pc } of region.entries) {
      this.deleteUnlinked(pc, translation);
      this.leave(pc, translation);
    }
  }

  private deleteUnlinked(pc: number, translation: Translation): void {
    const unlinked = this.unlinkedAt.get(pc);
    if (unlinked?.delete(translation) === true && unlinked.size === 0) this.unlinkedAt.delete(pc);
  }

  /** Nothing leads to a region's entry at `pc` any more. */
  private leave(pc: number, translation: Translation): void {
    if (this.ways.get(pc)?.owner !== translation) return;
    this.ways.delete(pc);
    this.setSlot(pc, this.unlinked, NO_ENTRY);
  }

  private fill(from: number): void {
    for (let slot = from; slot < this.table.length; slot += 1) this.table.set(slot, this.unlinked);
  }

  private instantiate(module: object): RegionFunction {
    const { memory, table, guard } = this;
    return new WebAssembly.Instance<{ readonly r: RegionFunction }>(module, {
      e: { m: memory.wasmMemory, t: table, g: guard },
    }).exports.r;
  }
}
