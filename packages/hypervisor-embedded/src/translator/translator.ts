import type { DeviceBus } from '../devices/deviceBus.js';
import { EXPANDED } from '../hart/compressed.js';
import { ILLEGAL, readCsr } from '../hart/csr.js';
import { NO_RESERVATION, type HartState } from '../hart/hartState.js';
import { Interpreter } from '../hart/interpreter.js';
import type { Processor, Stop } from '../hart/processor.js';
import { runHart, type Executor } from '../hart/runHart.js';
import { decode } from './instruction.js';
import { Effort } from './effort.js';
import { Growth } from './growth.js';
import { Head } from './head.js';
import { Heat } from './heat.js';
import { RegionFinder, type Fetched, type Region } from './region.js';
import { Left } from './left.js';
import { RegionTable, type CalledByRegions } from './regionTable.js';
import { Rewrites } from './rewrites.js';
import type { Translation } from './translation.js';
import type { TranslatableMemory } from '../memory/translatableMemory.js';

/** When code is translated; what a guest computes does not depend on it. */
export interface TranslatorOptions {
  /**
   * How often a jump leads the interpreter to a place before the code there is translated; default: 300. That costs far
   * less than a region that is compiled in vain. A region that grows takes as many again for each time that it has
   * grown.
   */
  readonly hotVisits?: number;
  /** Instructions that the interpreter executes at one go where there is no translated code; default: 64. */
  readonly interpretedInstructions?: number;
  /** Regions that are kept at a time; default: 4096. */
  readonly maxRegions?: number;
  /** Bytes of WebAssembly that are kept of all regions together; default: 8 MiB. */
  readonly maxModuleBytes?: number;
}

/** Most instructions of a region, when it is found first and when it has grown; inlined functions count each time. */
const MAX_FIRST = 500;
const MAX_GROWN = 2000;
/** Most places whose instruction the interpreter executes alone. */
const MAX_HEADS = 4096;
/** No region has this number. */
const NO_REGION = 0;

/** Numbers of a translator's work, for benchmarks and tests. */
export interface TranslatorStatistics {
  readonly regions: number;
  readonly translations: number;
  /** Instructions that were translated, each as often as it was, and 50 for each translation. */
  readonly effort: number;
  readonly invalidations: number;
  /** Instructions that translated code has executed. */
  readonly translated: number;
}

/**
 * Translates hot guest code to WebAssembly and executes it; everything else it leaves to the interpreter, whose results
 * it has to the instruction.
 */
export class Translator implements Processor, Executor, CalledByRegions {
  private readonly interpreter: Interpreter;
  private readonly table: RegionTable;
  private readonly heat: Heat;
  private readonly effort = new Effort();
  /** Places that a loop leads to and that the interpreter has to execute, and where translated code begins then. */
  private readonly heads = new Map<number, Head>();
  /** As many instructions have to be executed before translated code is looked for. */
  private interpretedUntil = 0;
  private readonly rewrites = new Rewrites();
  private readonly interpretedInstructions: number;
  private endCycle = 0;
  private invalidated = false;
  private translations = 0;
  private invalidations = 0;
  private translated = 0;
  /** Instructions before this turn, those that were rolled back included, and where this turn began. */
  private executedBefore = 0;
  private beganAt = 0;

  constructor(
    readonly state: HartState,
    private readonly memory: TranslatableMemory,
    devices: DeviceBus,
    options: TranslatorOptions = {},
  ) {
    const { hotVisits = 300, interpretedInstructions = 64 } = options;
    const { maxRegions = 4096, maxModuleBytes = 1 << 23 } = options;
    this.heat = new Heat(hotVisits);
    this.interpretedInstructions = interpretedInstructions;
    this.interpreter = new Interpreter(state, memory, devices);
    this.table = new RegionTable(memory, this, { regions: maxRegions, moduleBytes: maxModuleBytes });
    memory.onCodeWritten = (frame, isGuest) => this.invalidate(frame, isGuest);
    memory.onReset = () => this.rewrites.forget();
  }

  get statistics(): TranslatorStatistics {
    const { translations, invalidations, translated } = this;
    const { spent: effort } = this.effort;
    return { regions: this.table.size, translations, effort, invalidations, translated };
  }

  run(untilCycle: number): Stop {
    return runHart(this.state, untilCycle, this);
  }

  execute(budget: number): boolean {
    this.beganAt = this.state.cycles;
    const isException = this.executeAll(budget);
    this.executedBefore = this.executed;
    this.beganAt = this.state.cycles;
    return isException;
  }

  /** Instructions so far, those that were rolled back included. */
  private get executed(): number {
    return this.executedBefore + this.state.cycles - this.beganAt;
  }

  private executeAll(budget: number): boolean {
    const { state, table, memory } = this;
    const { words, layout } = memory;
    this.endCycle = state.cycles + budget;
    let remaining = budget;
    while (remaining > 0) {
      const { interpreter, executed } = this;
      const interpreted = this.interpretedUntil - executed;
      if (interpreted > 0) return interpreter.execute(Math.min(remaining, interpreted));
      const way = state.reservation === NO_RESERVATION ? table.at(state.pc) : undefined;
      const head = way === undefined ? this.heads.get(state.pc) : undefined;
      if (head?.reserves === false && table.at(head.next)?.pays(executed) === true) {
        // Translated code begins after it: the interpreter executes no more than the head.
        const isException = interpreter.execute(1);
        head.reserves = state.reservation !== NO_RESERVATION;
        return isException;
      }
      const poor = way?.pays(executed) === false ? way : head;
      if (poor !== undefined) {
        this.interpretedUntil = poor.patience.until(executed);
        continue;
      }
      if (way === undefined) {
        const isException = interpreter.execute(Math.min(remaining, this.interpretedInstructions), true);
        // Unless it was a jump, what it executed last may have made an interrupt deliverable: back to where those are
        // looked for.
        if (isException || !interpreter.hasJumped) return isException;
        this.visit(state.pc, NO_REGION);
        remaining = this.endCycle - state.cycles;
        continue;
      }
      const before = remaining;
      remaining = table.run(remaining, way);
      this.translated += before - remaining;
      state.pc = words[layout.pc >>> 2] ?? 0;
      state.cycles = this.endCycle - remaining;
      const left = words[layout.left >>> 2];
      if (left === Left.INTERPRET) way.note(before - remaining, this.executed);
      if (left === Left.INTERPRET) return remaining > 0 && this.interpreter.execute(1);
      if (left === Left.SPENT) return remaining > 0 && this.interpreter.execute(remaining);
      if (remaining > 0 && !table.cache(state.pc))
        this.visit(state.pc, words[layout.leftRegion >>> 2] ?? NO_REGION);
    }
    return false;
  }

  /** Counts a place where execution is, come from a region; translates what begins there once it is hot. */
  private visit(pc: number, from: number): void {
    const isHot = this.heat.visit(pc);
    if (this.table.at(pc) !== undefined || this.takeBack(pc, isHot)) return;
    if (!isHot) return;
    const { instruction, bytes } = this.fetch(pc) ?? { bytes: 0 };
    if (instruction !== undefined) {
      this.translate(pc, from);
      return;
    }
    const next = (pc + bytes) | 0;
    if (this.heads.size >= MAX_HEADS) this.heads.clear();
    if (!this.heads.has(pc)) this.heads.set(pc, new Head(next));
    if (this.table.at(next) === undefined && !this.takeBack(next, true)) this.translate(next, from);
  }

  /** Uses the translation of code that is in memory again. Gives whether there is one. */
  private takeBack(pc: number, isHot: boolean): boolean {
    const returned = this.table.returned(pc, isHot);
    if (returned === undefined || this.isRewritten(returned.frames)) return false;
    this.watch(returned.source.lines);
    this.table.link(returned);
    return true;
  }

  /** Translates what begins at `pc`: into the region that it lies in, or that leads there, or into a new one. */
  private translate(pc: number, from: number): void {
    const { memory, table, executed } = this;
    const frame = ((pc - memory.layout.base) >>> 0) >>> 12;
    if (this.rewrites.areTooMany(frame, executed) || !this.effort.isAffordable(executed)) return;
    const found = table.holding(pc, frame) ?? this.growable(table.region(from));
    if (found?.run !== undefined && found.entries.includes(pc)) {
      table.link(found);
      return;
    }
    if (found !== undefined && (found.run === undefined || found.growth.isSettled(pc))) return;
    const host = found?.growth.isFull === false ? found : undefined;
    const growth = host?.growth.request(pc, executed);
    if (host !== undefined && growth === undefined) return;
    this.heat.backOff(pc);
    const grown = growth === undefined ? undefined : this.find(pc, growth, MAX_GROWN);
    if (growth !== undefined && grown !== undefined) {
      this.add(grown, growth, host);
      return;
    }
    const alone = new Growth([pc]);
    const region = this.find(pc, alone, MAX_FIRST);
    if (region !== undefined) this.add(region, alone, undefined);
  }

  /** The region with the entries that are asked for, if `pc` becomes one of them and the guest does not rewrite it. */
  private find(pc: number, { asked }: Growth, maxInstructions: number): Region | undefined {
    const { fetch, isWarm, memory, effort } = this;
    const region = RegionFinder.find(asked, { fetch, isWarm, base: memory.layout.base, maxInstructions });
    if (region === undefined) return undefined;
    effort.spend(region.instructions);
    const isEntry = region.entries.some((entry) => entry.pc === pc);
    return isEntry && !this.isRewritten(region.frames) ? region : undefined;
  }

  private add(region: Region, growth: Growth, host: Translation | undefined): void {
    this.watch(region.lines);
    this.translations += 1;
    growth.begin(this.executed, region.instructions);
    this.table.add(region, growth, host);
  }

  /** Whether execution was ever found there. */
  private readonly isWarm = (pc: number): boolean => this.heat.isKnown(pc) || this.table.at(pc) !== undefined;

  private growable(translation: Translation | undefined): Translation | undefined {
    const isGrowable = translation?.isLinked === true && translation.instructions < MAX_GROWN;
    return isGrowable ? translation : undefined;
  }

  private isRewritten(frames: readonly number[]): boolean {
    return frames.some((frame) => this.rewrites.areTooMany(frame, this.executed));
  }

  private watch(lines: Iterable<number>): void {
    for (const line of lines) this.memory.watchCode(line);
  }

  private invalidate(frame: number, isGuest: boolean): void {
    this.invalidated = true;
    this.invalidations += 1;
    if (isGuest) this.rewrites.note(frame, this.executed);
    this.table.unlinkFrame(frame);
  }

  /** Called by translated code before a store to a page that is protected or holds code. Gives 1 where code is gone. */
  readonly guard = (address: number, remaining: number, pc: number): number => {
    this.state.pc = pc;
    this.state.cycles = this.endCycle - remaining;
    this.invalidated = false;
    this.memory.beforeWrite(address >>> 12, address);
    return this.invalidated ? 1 : 0;
  };

  /** Called by translated code where it reads a control and status register. */
  readonly readCsr = (number: number, remaining: number, pc: number): number => {
    const { state, memory } = this;
    state.pc = pc;
    state.cycles = this.endCycle - remaining;
    const value = readCsr(state, number, false);
    if (value === ILLEGAL) return 0;
    memory.words[memory.layout.csr >>> 2] = value;
    return 1;
  };

  private readonly fetch = (pc: number): Fetched | undefined => {
    const { layout, u16 } = this.memory;
    const offset = (pc - layout.base) >>> 0;
    if (offset > layout.bytes - 2) return undefined;
    const half = u16[offset >>> 1] ?? 0;
    if ((half & 3) !== 3) return { pc, bytes: 2, instruction: decode(EXPANDED[half] ?? 0, pc) };
    if (offset > layout.bytes - 4) return undefined;
    return { pc, bytes: 4, instruction: decode(half | ((u16[(offset >>> 1) + 1] ?? 0) << 16), pc) };
  };
}
