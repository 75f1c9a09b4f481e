import type { Condition, Instruction } from './instruction.js';

/** An instruction of the guest where it stands. `instruction` is undefined where the interpreter has to execute it. */
export interface Fetched {
  readonly pc: number;
  readonly bytes: 2 | 4;
  readonly instruction: Instruction | undefined;
}

/** Fetches the instruction at `pc`; undefined outside RAM. */
export type Fetch = (pc: number) => Fetched | undefined;

/** Where control goes: to a block of the region, or out of it where `block` is undefined. */
export interface Edge {
  readonly pc: number;
  block: Block | undefined;
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
  /** `expected`: where an inlined function returns to, if it returns as functions do. */
  | {
      readonly kind: 'indirect';
      readonly rd: number;
      readonly rs1: number;
      readonly immediate: number;
      readonly next: number;
      readonly expected: Edge | undefined;
    }
  /** The interpreter executes what stands at `pc`. */
  | { readonly kind: 'interpret'; readonly pc: number };

/** Instructions that are executed one after the other, and where control goes then. */
export interface Block {
  readonly pc: number;
  readonly body: readonly Fetched[];
  readonly ending: Ending;
  /** Instructions that are executed here: the body, and the ending where it is one. */
  readonly length: number;
}

/** Blocks that are translated together: what is reachable from the entry, within bounds. */
export interface Region {
  readonly entry: Block;
  /** Ascending, without duplicates: page frames that hold its instructions, as offsets into RAM over 4096. */
  readonly frames: readonly number[];
  readonly instructions: number;
}

/** Largest region, in instructions; inlined functions count each time. */
const MAX_INSTRUCTIONS = 600;
/** Largest function that is inlined, and how deep functions are inlined into each other. */
const MAX_INLINED = 60;
const MAX_DEPTH = 2;
const LINK = 1;

/** The calls that led to an inlined function; the outermost has no `returnTo`. */
interface Inlining {
  readonly returnTo: number | undefined;
  readonly caller: Inlining | undefined;
  readonly depth: number;
  readonly leaders: Set<number>;
  readonly visited: Set<number>;
  readonly blocks: Map<number, Block>;
  readonly inlinedAt: Map<number, Inlining>;
}

function inlining(returnTo?: number, caller?: Inlining): Inlining {
  return {
    returnTo,
    caller,
    depth: caller === undefined ? 0 : caller.depth + 1,
    leaders: new Set(),
    visited: new Set(),
    blocks: new Map(),
    inlinedAt: new Map(),
  };
}

/** Finds the region that begins at `pc`. Undefined where the interpreter has to execute its first instruction. */
export function findRegion(pc: number, fetch: Fetch, base: number): Region | undefined {
  const root = inlining();
  const first = fetch(pc);
  if (first?.instruction === undefined) return undefined;
  const frames = new Set<number>();
  const instructions = findLeaders(pc, root, fetch, (fetched) => {
    const offset = (fetched.pc - base) >>> 0;
    frames.add(offset >>> 12);
    frames.add((offset + fetched.bytes - 1) >>> 12);
  });
  const entry = buildBlocks(pc, root, fetch);
  return entry === undefined
    ? undefined
    : { entry, frames: [...frames].toSorted((a, b) => a - b), instructions };
}

function findLeaders(entry: number, root: Inlining, fetch: Fetch, found: (fetched: Fetched) => void): number {
  const queue: [number, Inlining][] = [[entry, root]];
  let total = 0;
  for (let next = queue.shift(); next !== undefined && total < MAX_INSTRUCTIONS; next = queue.shift()) {
    const [start, within] = next;
    if (within.leaders.has(start) || fetch(start) === undefined) continue;
    within.leaders.add(start);
    for (let at = start; !within.visited.has(at);) {
      const fetched = fetch(at);
      if (fetched === undefined) break;
      within.visited.add(at);
      found(fetched);
      total += 1;
      const following = (at + fetched.bytes) | 0;
      const targets = successors(fetched, following, within, entry, fetch);
      if (targets === undefined) {
        at = following;
        if (total >= MAX_INSTRUCTIONS) break;
        continue;
      }
      queue.push(...targets);
      break;
    }
  }
  return total;
}

/** Where control goes after an instruction that ends a block; undefined after one that does not. */
function successors(
  { pc, instruction }: Fetched,
  following: number,
  within: Inlining,
  entry: number,
  fetch: Fetch,
): [number, Inlining][] | undefined {
  if (instruction === undefined) return [];
  if (instruction.kind === 'branch') {
    return [
      [instruction.target, within],
      [following, within],
    ];
  }
  if (instruction.kind === 'indirect') {
    return isReturn(instruction) && within.returnTo !== undefined && within.caller !== undefined
      ? [[within.returnTo, within.caller]]
      : [];
  }
  if (instruction.kind !== 'jump') return undefined;
  if (instruction.rd === 0) return [[instruction.target, within]];
  if (instruction.rd !== LINK || within.depth >= MAX_DEPTH || instruction.target === entry) return [];
  if (!isSmall(instruction.target, fetch)) return [];
  const inlined = inlining(following, within);
  within.inlinedAt.set(pc, inlined);
  return [[instruction.target, inlined]];
}

function isReturn({ rd, rs1, immediate }: Extract<Instruction, { kind: 'indirect' }>): boolean {
  return rd === 0 && rs1 === LINK && immediate === 0;
}

/** Whether a function is worth copying into its caller: few instructions, that return and call nothing. */
function isSmall(start: number, fetch: Fetch): boolean {
  const seen = new Set<number>();
  const work = [start];
  let returns = false;
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    if (seen.has(at)) continue;
    if (seen.size === MAX_INLINED) return false;
    seen.add(at);
    const fetched = fetch(at);
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

function buildBlocks(entry: number, root: Inlining, fetch: Fetch): Block | undefined {
  const edges: [Edge, Inlining][] = [];
  const edge = (pc: number, within: Inlining): Edge => {
    const made: Edge = { pc, block: undefined };
    edges.push([made, within]);
    return made;
  };
  const contexts = [root];
  for (const within of contexts) {
    contexts.push(...within.inlinedAt.values());
    for (const leader of within.leaders) within.blocks.set(leader, buildBlock(leader, within, fetch, edge));
  }
  for (const [made, within] of edges) made.block = within.blocks.get(made.pc);
  return root.blocks.get(entry);
}

function buildBlock(
  leader: number,
  within: Inlining,
  fetch: Fetch,
  edge: (pc: number, within: Inlining) => Edge,
): Block {
  const body: Fetched[] = [];
  for (let at = leader; ;) {
    const fetched = fetch(at);
    const isElsewhere = at !== leader && within.leaders.has(at);
    if (fetched === undefined || isElsewhere || !within.visited.has(at)) {
      return { pc: leader, body, ending: { kind: 'jump', to: edge(at, within) }, length: body.length };
    }
    const { instruction, bytes } = fetched;
    const next = (at + bytes) | 0;
    if (instruction === undefined) {
      return { pc: leader, body, ending: { kind: 'interpret', pc: at }, length: body.length };
    }
    if (instruction.kind === 'branch') {
      const { op, rs1, rs2, target } = instruction;
      const taken = edge(target, within);
      const otherwise = edge(next, within);
      const ending = { kind: 'branch', op, rs1, rs2, taken, otherwise } as const;
      return { pc: leader, body, ending, length: body.length + 1 };
    }
    if (instruction.kind === 'jump') {
      body.push(fetched);
      const target = instruction.rd === 0 ? within : within.inlinedAt.get(at);
      const to =
        target === undefined
          ? { pc: instruction.target, block: undefined }
          : edge(instruction.target, target);
      return { pc: leader, body, ending: { kind: 'jump', to }, length: body.length };
    }
    if (instruction.kind === 'indirect') {
      const { returnTo, caller } = within;
      const isInlined = isReturn(instruction) && returnTo !== undefined && caller !== undefined;
      const expected = isInlined ? edge(returnTo, caller) : undefined;
      const ending = { ...instruction, kind: 'indirect', next, expected } as const;
      return { pc: leader, body, ending, length: body.length + 1 };
    }
    body.push(fetched);
    at = next;
  }
}
