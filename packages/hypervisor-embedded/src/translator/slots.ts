import type { TranslatableMemory } from '../memory/translatableMemory.js';
import { WebAssembly } from '../webAssembly.js';
import { dispatcherModule, wayBackModule } from './regionModule.js';
import { ENTRY_BITS } from './regionCode.js';
import type { RegionFunction } from './translation.js';

/** Executes from a slot on, with a budget of instructions; gives what is left of it. */
export type Dispatch = (remaining: number, slot: number) => number;

interface Slot {
  readonly slot: number;
  /** Regions that name it. */
  uses: number;
}

const NO_PC = 1;
const NO_ENTRY = 0;

/**
 * How regions go on in each other: each place that one leads to has a slot, which holds the region that has an entry
 * there or, without one, the way back to the translator. A region gives the slot that comes next to the dispatcher,
 * which alone has the table of functions: V8 keeps for good whatever imports a table.
 */
export class Slots {
  readonly dispatch: Dispatch;
  private readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  private readonly wayBack: RegionFunction;
  private readonly byPc = new Map<number, Slot>();
  private readonly free: number[] = [];
  private allocated = 0;

  constructor(private readonly memory: TranslatableMemory) {
    const { wasmMemory, layout, words } = memory;
    const wayBack = new WebAssembly.Instance<{ readonly r: RegionFunction }>(
      new WebAssembly.Module(wayBackModule(layout)),
      { e: { m: wasmMemory } },
    );
    this.wayBack = wayBack.exports.r;
    const dispatcher = new WebAssembly.Instance<{ readonly r: Dispatch }>(
      new WebAssembly.Module(dispatcherModule(layout)),
      { e: { m: wasmMemory, t: this.table } },
    );
    this.dispatch = dispatcher.exports.r;
    this.fill(0);
    const first = layout.jumpCache >>> 2;
    // No program counter is odd, so that an empty entry is found by none.
    words.fill(NO_PC, first, first + 2 * layout.jumpCacheEntries);
  }

  /** How many more places can have one. */
  get left(): number {
    return this.memory.layout.slots - this.byPc.size;
  }

  /** The slot of a place that one more region names. */
  take(pc: number): number {
    const known = this.byPc.get(pc);
    if (known !== undefined) {
      known.uses += 1;
      return known.slot;
    }
    const slot = this.free.pop() ?? this.allocate();
    this.byPc.set(pc, { slot, uses: 1 });
    return slot;
  }

  /** A region that named the place is gone. */
  release(pc: number): void {
    const known = this.byPc.get(pc);
    if (known === undefined || (known.uses -= 1) > 0) return;
    this.close(pc);
    this.takeUse(pc);
    this.byPc.delete(pc);
    this.free.push(known.slot);
    const entry = this.cacheEntry(pc);
    if (this.memory.words[entry] === pc) this.memory.words[entry] = NO_PC;
  }

  /** The slot of a place that a region names. */
  at(pc: number): number {
    const known = this.byPc.get(pc);
    if (known === undefined) throw new TypeError('no region names the place');
    return known.slot;
  }

  /** Lets execution that comes to a place which a region names go on in a region, at an entry. */
  open(pc: number, run: RegionFunction, id: number, entry: number): void {
    this.set(this.at(pc), run, (id << ENTRY_BITS) | entry);
  }

  close(pc: number): void {
    this.set(this.at(pc), this.wayBack, NO_ENTRY);
  }

  /** Lets indirect jumps to `pc` find its slot. */
  cache(pc: number): void {
    const known = this.byPc.get(pc);
    if (known === undefined) return;
    const { words } = this.memory;
    const entry = this.cacheEntry(pc);
    words[entry] = pc;
    words[entry + 1] = known.slot;
  }

  /** Whether execution came through the slot of a place since this was last called. */
  takeUse(pc: number): boolean {
    const known = this.byPc.get(pc);
    if (known === undefined) return false;
    const { words } = this.memory;
    const use = this.entryOf(known.slot) + 1;
    const wasUsed = words[use] !== 0;
    words[use] = 0;
    return wasUsed;
  }

  private allocate(): number {
    const slot = this.allocated;
    if (slot === this.table.length) {
      this.table.grow(slot);
      this.fill(slot);
    }
    this.allocated += 1;
    return slot;
  }

  private fill(from: number): void {
    for (let slot = from; slot < this.table.length; slot += 1) this.table.set(slot, this.wayBack);
  }

  private set(slot: number, run: RegionFunction, word: number): void {
    this.table.set(slot, run);
    this.memory.words[this.entryOf(slot)] = word;
  }

  /** Where in words the entry of a slot begins. */
  private entryOf(slot: number): number {
    return (this.memory.layout.slotEntries >>> 2) + 2 * slot;
  }

  /** Likewise, of a place in the table of indirect jumps. */
  private cacheEntry(pc: number): number {
    const { jumpCache, jumpCacheEntries } = this.memory.layout;
    return (jumpCache >>> 2) + 2 * ((pc >>> 1) & (jumpCacheEntries - 1));
  }
}
