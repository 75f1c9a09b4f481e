import { WebAssembly } from '../webAssembly.js';
import type { TranslatableMemory } from '../memory/translatableMemory.js';
import { wayBackModule } from './regionModule.js';

/** Executes a region with a budget of instructions; gives what is left of it. */
export type RegionFunction = (remaining: number) => number;

/** Places that regions can be linked to; beyond that all regions go. */
const MAX_SLOTS = 1 << 16;
const NO_PC = 1;

interface Entry {
  readonly pc: number;
  readonly frames: readonly number[];
  /** Undefined until it is compiled. */
  run: RegionFunction | undefined;
}

/**
 * The regions that live, by where they begin. Regions go on in each other through slots of a table: each place that
 * one leads to has a slot, which holds the region that begins there or, without one, the way back to the translator.
 */
export class RegionTable {
  private readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  private readonly unlinked: RegionFunction;
  private readonly regions = new Map<number, Entry>();
  private readonly slots = new Map<number, number>();
  private readonly byFrame = new Map<number, Set<Entry>>();

  /** `guard`: called by translated code before a store to a page that is protected or holds code. `maxRegions`: beyond that the oldest half ends. */
  constructor(
    private readonly memory: TranslatableMemory,
    private readonly guard: (address: number, remaining: number, pc: number) => number,
    private readonly maxRegions: number,
  ) {
    this.unlinked = this.instantiate(new WebAssembly.Module(wayBackModule(memory.layout)));
    this.fill(0);
    this.clearJumpCache();
  }

  get size(): number {
    return this.regions.size;
  }

  at(pc: number): RegionFunction | undefined {
    return this.regions.get(pc)?.run;
  }

  /** Whether a region begins there, compiled or not yet. */
  has(pc: number): boolean {
    return this.regions.has(pc);
  }

  /** Lets indirect jumps to `pc` find its region. Gives whether there is one. */
  link(pc: number): boolean {
    if (this.at(pc) === undefined) return false;
    const { words, layout } = this.memory;
    const entry = (layout.jumpCache >>> 2) + 2 * ((pc >>> 1) & (layout.jumpCacheEntries - 1));
    words[entry] = pc;
    words[entry + 1] = this.slotOf(pc);
    return true;
  }

  readonly slotOf = (pc: number): number => {
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

  /** Before a region is made, since it names slots: ends others where there are too many. */
  makeRoom(): void {
    if (this.slots.size >= MAX_SLOTS) this.clear();
    else if (this.regions.size >= this.maxRegions) this.evictHalf();
  }

  /** Compiles a region, and from then on executes it. */
  add(pc: number, frames: readonly number[], bytes: Uint8Array): void {
    this.install(this.announce(pc, frames), new WebAssembly.Module(bytes));
  }

  /** As {@link add}, but the engine compiles while the guest runs on. */
  async addLater(pc: number, frames: readonly number[], bytes: Uint8Array): Promise<void> {
    const entry = this.announce(pc, frames);
    const module = await WebAssembly.compile(bytes);
    if (this.regions.get(pc) === entry) this.install(entry, module);
  }

  /** From here on a write to its code ends the region. */
  private announce(pc: number, frames: readonly number[]): Entry {
    const entry: Entry = { pc, frames, run: undefined };
    this.remove(this.regions.get(pc));
    this.regions.set(pc, entry);
    for (const frame of frames) {
      const inFrame = this.byFrame.get(frame) ?? new Set();
      this.byFrame.set(frame, inFrame.add(entry));
    }
    return entry;
  }

  private install(entry: Entry, module: object): void {
    entry.run = this.instantiate(module);
    this.table.set(this.slotOf(entry.pc), entry.run);
  }

  /** The regions that hold instructions of a page frame end. */
  removeFrame(frame: number): void {
    for (const entry of this.byFrame.get(frame) ?? []) this.remove(entry);
  }

  private evictHalf(): void {
    for (const entry of this.regions.values()) {
      this.remove(entry);
      if (this.regions.size <= this.maxRegions / 2) return;
    }
  }

  private clear(): void {
    for (const entry of this.regions.values()) this.remove(entry);
    this.slots.clear();
    this.clearJumpCache();
  }

  /** No program counter is odd, so that an empty entry is found by none. */
  private clearJumpCache(): void {
    const { words, layout } = this.memory;
    const first = layout.jumpCache >>> 2;
    words.fill(NO_PC, first, first + 2 * layout.jumpCacheEntries);
  }

  private remove(entry: Entry | undefined): void {
    if (entry === undefined) return;
    this.regions.delete(entry.pc);
    this.table.set(this.slotOf(entry.pc), this.unlinked);
    for (const frame of entry.frames) this.byFrame.get(frame)?.delete(entry);
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
