import { LINE_SHIFT } from '../memory/translatableMemory.js';
import type { Condition, Instruction } from './instruction.js';

/** An instruction of the guest where it stands. `instruction` is undefined where the interpreter has to execute it. */
export interface Fetched {
  readonly pc: number;
  readonly bytes: 2 | 4;
  readonly instruction: Instruction | undefined;
}

/** Fetches the instruction at `pc`; undefined outside RAM. */
export type Fetch = (pc: number) => Fetched | undefined;

/** Code that regions are found in. */
export interface CodeToTranslate {
  readonly fetch: Fetch;
  /** Whether a place was executed so far. Functions that were not are left out. */
  readonly isWarm: (pc: number) => boolean;
  /** Guest-physical address of the first byte of RAM. */
  readonly base: number;
  /** Of a region; inlined functions count each time. */
  readonly maxInstructions: number;
}

/** Where control goes: to a block of the region, or out of it where `block` is undefined. */
export interface Edge {
  readonly pc: number;
  block: Block | undefined;
  /** Whether it leads there by way of the dispatcher, since structured code has no other. */
  isDispatched?: boolean;
}

export type Ending =
  | { readonly kind: 'jump'; readonly to: Edge }
  | {
      readonly kind: 'branch';
      readonly op: Condition;
      readonly rs1: number;
      readonly rs2: number;
      readonly taken: Edge;
      readonly otherwise: Edge;
    }
  /**
   * `expected`: where a function returns to, as far as its callers lie in the region and it returns as functions do.
   */
  | {
      readonly kind: 'indirect';
      readonly rd: number;
      readonly rs1: number;
      readonly immediate: number;
      readonly next: number;
      readonly expected: readonly Edge[];
    }
  /** The interpreter executes what stands at `pc`. */
  | { readonly kind: 'interpret'; readonly pc: number }
  /** The dispatcher of a region: which chooses the entry. */
  | { readonly kind: 'dispatch'; readonly to: readonly Edge[] };

/** Instructions that are executed one after the other, and where control goes then. */
export interface Block {
  readonly pc: number;
  readonly body: readonly Fetched[];
  readonly ending: Ending;
  /** Instructions that are executed here: the body, and the ending where it is one. */
  readonly length: number;
}

/**
 * Blocks that are translated together: what is reachable from the entries, called functions included, within bounds.
 */
export interface Region {
  /** Where execution can begin: those that were asked for, and the places that calls return to. */
  readonly entries: readonly Block[];
  /** Where its instructions lie; those of inlined functions are left out. */
  readonly places: ReadonlySet<number>;
  /** Ascending, without duplicates: page frames that hold its instructions, as offsets into RAM over 4096. */
  readonly frames: readonly number[];
  /** Likewise the lines that hold them: offsets into RAM over 64. */
  readonly lines: ReadonlySet<number>;
  readonly instructions: number;
}

/** Largest function that is inlined. */
const MAX_INLINED = 60;
/** Most places that a return is compared with, before it is looked up as any indirect jump. */
const MAX_EXPECTED = 8;
/** Entries of a region at most: the number of one is kept in 12 bits. */
const MAX_ENTRIES = 1000;
const LINK = 1;
const FRAME_SHIFT = 12;

/** The code of a region itself, or of a function that is inlined into it, which then has a `returnTo`. */
interface Inlining {
  readonly returnTo: number | undefined;
  readonly caller: Inlining | undefined;
  readonly leaders: Set<number>;
  readonly visited: Set<number>;
  readonly blocks: Map<number, Block>;
  readonly inlinedAt: Map<number, Inlining>;
  /** The function that a block was found in first, by the function's beginning. */
  readonly functionOf: Map<number, number>;
}

function inlining(returnTo?: number, caller?: Inlining): Inlining {
  return {
    returnTo,
    caller,
    leaders: new Set(),
    visited: new Set(),
    blocks: new Map(),
    inlinedAt: new Map(),
    functionOf: new Map(),
  };
}

/** A place that is looked at next, in the code that it belongs to and the function that it was found in. */
type Target = readonly [pc: number, within: Inlining, inFunction: number];

/** Finds regions: one finder, one region. */
export class RegionFinder {
  private readonly root = inlining();
  private readonly lines = new Set<number>();
  private readonly entries: Set<number>;
  /** By the beginning of a function: where it returns to. */
  private readonly returns = new Map<number, number[]>();
  private readonly edges: [Edge, Inlining][] = [];
  private instructions = 0;

  private constructor(
    entries: readonly number[],
    private readonly code: CodeToTranslate,
  ) {
    this.entries = new Set(entries);
  }

  /**
   * Finds the region with these entries. Undefined where the interpreter has to execute the first instruction of each.
   */
  static find(entries: readonly number[], code: CodeToTranslate): Region | undefined {
    const known = entries.filter((pc) => code.fetch(pc)?.instruction !== undefined);
    return known.length === 0 ? undefined : new RegionFinder(known, code).region();
  }

  private region(): Region {
    this.findLeaders();
    this.buildBlocks();
    const { root, lines, instructions } = this;
    const frames = new Set([...lines].map((line) => line >>> (FRAME_SHIFT - LINE_SHIFT)));
    return {
      entries: [...this.entries].flatMap((pc) => root.blocks.get(pc) ?? []),
      places: root.visited,
      frames: [...frames].toSorted((a, b) => a - b),
      lines,
      instructions,
    };
  }

  private findLeaders(): void {
    const queue: Target[] = [...this.entries].map((pc) => [pc, this.root, pc]);
    for (const [start, within, inFunction] of queue) {
      if (this.instructions >= this.code.maxInstructions) return;
      if (within.leaders.has(start) || this.code.fetch(start) === undefined) continue;
      within.leaders.add(start);
      within.functionOf.set(start, inFunction);
      for (let at = start; !within.visited.has(at);) {
        const fetched = this.code.fetch(at);
        if (fetched === undefined) break;
        within.visited.add(at);
        this.note(fetched);
        const following = (at + fetched.bytes) | 0;
        const targets = this.successors(fetched, following, within, inFunction);
        if (targets !== undefined) {
          queue.push(...targets);
          break;
        }
        at = following;
        if (this.instructions >= this.code.maxInstructions) break;
      }
    }
  }

  private note({ pc, bytes }: Fetched): void {
    const offset = (pc - this.code.base) >>> 0;
    this.lines.add(offset >>> LINE_SHIFT);
    this.lines.add((offset + bytes - 1) >>> LINE_SHIFT);
    this.instructions += 1;
  }

  /** Where control goes after an instruction that ends a block; undefined after one that does not. */
  private successors(
    { pc, instruction }: Fetched,
    following: number,
    within: Inlining,
    inFunction: number,
  ): Target[] | undefined {
    if (instruction === undefined) return this.entry(following, within, inFunction);
    if (instruction.kind === 'branch') {
      return [
        [instruction.target, within, inFunction],
        [following, within, inFunction],
      ];
    }
    if (instruction.kind === 'indirect') {
      const { returnTo, caller } = within;
      if (isReturn(instruction) && returnTo !== undefined && caller !== undefined)
        return [[returnTo, caller, inFunction]];
      return instruction.rd === 0 ? [] : this.entry(following, within, inFunction);
    }
    if (instruction.kind !== 'jump') return undefined;
    const { rd, target } = instruction;
    if (rd === 0) return [[target, within, inFunction]];
    if (rd === LINK && within.caller === undefined && this.isSmall(target)) {
      const inlined = inlining(following, within);
      within.inlinedAt.set(pc, inlined);
      return [[target, inlined, inFunction]];
    }
    // What was never called so far stays outside: compiling it costs as much as what is hot.
    if (!this.code.isWarm(target)) return [];
    const known = this.returns.get(target) ?? [];
    this.returns.set(target, [...known, following]);
    return [[target, within, target], ...this.entry(following, within, inFunction)];
  }

  /** A place where execution comes back into the region. */
  private entry(pc: number, within: Inlining, inFunction: number): Target[] {
    if (within.caller !== undefined || this.code.fetch(pc)?.instruction === undefined) return [];
    if (this.entries.size >= MAX_ENTRIES) return [];
    this.entries.add(pc);
    return [[pc, within, inFunction]];
  }

  /** Whether a function is worth copying into its caller: few instructions, that return and call nothing. */
  private isSmall(start: number): boolean {
    if (this.entries.has(start)) return false;
    const seen = new Set<number>();
    const work = [start];
    let returns = false;
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      if (seen.has(at)) continue;
      if (seen.size === MAX_INLINED) return false;
      seen.add(at);
      const fetched = this.code.fetch(at);
      if (fetched?.instruction === undefined) return false;
      const { instruction, bytes } = fetched;
      if (instruction.kind === 'indirect') {
        if (!isReturn(instruction)) return false;
        returns = true;
      } else if (instruction.kind === 'jump') {
        if (instruction.rd !== 0) return false;
        work.push(instruction.target);
      } else {
        if (instruction.kind === 'branch') work.push(instruction.target);
        work.push((at + bytes) | 0);
      }
    }
    return returns;
  }

  private buildBlocks(): void {
    const contexts = [this.root];
    for (const within of contexts) {
      contexts.push(...within.inlinedAt.values());
      for (const leader of within.leaders) within.blocks.set(leader, this.buildBlock(leader, within));
    }
    for (const [made, within] of this.edges) made.block = within.blocks.get(made.pc);
  }

  private edge(pc: number, within: Inlining): Edge {
    const made: Edge = { pc, block: undefined };
    this.edges.push([made, within]);
    return made;
  }

  private buildBlock(leader: number, within: Inlining): Block {
    const body: Fetched[] = [];
    for (let at = leader; ;) {
      const fetched = this.code.fetch(at);
      const isElsewhere = at !== leader && within.leaders.has(at);
      if (fetched === undefined || isElsewhere || !within.visited.has(at)) {
        return { pc: leader, body, ending: { kind: 'jump', to: this.edge(at, within) }, length: body.length };
      }
      const { instruction, bytes } = fetched;
      const next = (at + bytes) | 0;
      if (instruction === undefined) {
        return { pc: leader, body, ending: { kind: 'interpret', pc: at }, length: body.length };
      }
      if (instruction.kind === 'branch') {
        const { op, rs1, rs2, target } = instruction;
        const taken = this.edge(target, within);
        const otherwise = this.edge(next, within);
        const ending = { kind: 'branch', op, rs1, rs2, taken, otherwise } as const;
        return { pc: leader, body, ending, length: body.length + 1 };
      }
      if (instruction.kind === 'jump') {
        body.push(fetched);
        const to = this.edge(instruction.target, within.inlinedAt.get(at) ?? within);
        return { pc: leader, body, ending: { kind: 'jump', to }, length: body.length };
      }
      if (instruction.kind === 'indirect') {
        const expected = isReturn(instruction) ? this.expected(leader, within) : [];
        const ending = { ...instruction, kind: 'indirect', next, expected } as const;
        return { pc: leader, body, ending, length: body.length + 1 };
      }
      body.push(fetched);
      at = next;
    }
  }

  private expected(leader: number, { returnTo, caller, functionOf }: Inlining): readonly Edge[] {
    if (returnTo !== undefined && caller !== undefined) return [this.edge(returnTo, caller)];
    const places = this.returns.get(functionOf.get(leader) ?? leader) ?? [];
    return [...new Set(places)].slice(0, MAX_EXPECTED).map((pc) => this.edge(pc, this.root));
  }
}

function isReturn({ rd, rs1, immediate }: Extract<Instruction, { kind: 'indirect' }>): boolean {
  return rd === 0 && rs1 === LINK && immediate === 0;
}
