import type { Block, Edge } from './region.js';

/** What structured code has to know of a block. Orders are positions in a reverse postorder. */
export interface Placement {
  readonly order: number;
  /**
   * Blocks that this one immediately dominates and that are entries or that more than one forward edge leads to;
   * descending order.
   */
  readonly merges: readonly Block[];
  readonly isLoop: boolean;
  readonly isMerge: boolean;
}

/** The blocks of a region in their places, below a dispatcher. */
export interface PlacedRegion {
  /** Leads to all entries, and to nothing else. */
  readonly dispatcher: Block;
  readonly placements: ReadonlyMap<Block, Placement>;
}

/**
 * Orders the blocks of a region so that it can be written with blocks and loops alone (N. Ramsey, _Beyond Relooper_,
 * ICFP 2022). An edge into the middle of a loop makes that impossible: such an edge goes by way of the dispatcher,
 * which then has its target as one more entry.
 */
export function placeBlocks(entries: readonly Block[]): PlacedRegion {
  const to = new Map(entries.map((block): [Block, Edge] => [block, { pc: block.pc, block }]));
  for (;;) {
    const dispatcher: Block = {
      pc: 0,
      body: [],
      ending: { kind: 'dispatch', to: [...to.values()] },
      length: 0,
    };
    const order = reversePostorder(dispatcher);
    const position = new Map(order.map((block, index) => [block, index]));
    const edges = order.flatMap((block) =>
      edgesOf(block.ending).flatMap((edge) => (edge.isDispatched === true ? [] : { from: block, edge })),
    );
    const dominators = immediateDominators(order, position, edges);
    let isReducible = true;
    for (const { from, edge } of edges) {
      const { block } = edge;
      if (block === undefined || positionOf(position, block) > positionOf(position, from)) continue;
      if (dominates(block, from, dominators)) continue;
      isReducible = false;
      edge.isDispatched = true;
      to.set(block, { pc: block.pc, block });
    }
    if (isReducible)
      return { dispatcher, placements: placements(order, position, edges, dominators, new Set(to.keys())) };
  }
}

export function edgesOf(ending: Block['ending']): readonly Edge[] {
  if (ending.kind === 'jump') return [ending.to];
  if (ending.kind === 'branch') return [ending.taken, ending.otherwise];
  if (ending.kind === 'indirect') return ending.expected;
  return ending.kind === 'dispatch' ? ending.to : [];
}

interface FlowEdge {
  readonly from: Block;
  readonly edge: Edge;
}

function positionOf(position: ReadonlyMap<Block, number>, block: Block): number {
  return position.get(block) ?? -1;
}

function reversePostorder(entry: Block): readonly Block[] {
  const seen = new Set([entry]);
  const postorder: Block[] = [];
  const stack: { readonly block: Block; readonly next: Block[] }[] = [
    { block: entry, next: successorsOf(entry) },
  ];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const successor = top.next.pop();
    if (successor === undefined) {
      postorder.push(top.block);
      stack.pop();
    } else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ block: successor, next: successorsOf(successor) });
    }
  }
  return postorder.toReversed();
}

function successorsOf({ ending }: Block): Block[] {
  return edgesOf(ending).flatMap(({ block, isDispatched }) =>
    block === undefined || isDispatched === true ? [] : block,
  );
}

/** By K. Cooper, T. Harvey, K. Kennedy, _A Simple, Fast Dominance Algorithm_. The entry dominates itself. */
function immediateDominators(
  order: readonly Block[],
  position: ReadonlyMap<Block, number>,
  edges: readonly FlowEdge[],
): ReadonlyMap<Block, Block> {
  const predecessors = new Map<Block, Block[]>(order.map((block) => [block, []]));
  for (const { from, edge } of edges) if (edge.block !== undefined) predecessors.get(edge.block)?.push(from);
  const dominators = new Map<Block, Block>();
  const [entry, ...others] = order;
  if (entry === undefined) return dominators;
  dominators.set(entry, entry);
  const meet = (one: Block, other: Block): Block => {
    let a = one;
    let b = other;
    while (a !== b) {
      while (positionOf(position, a) > positionOf(position, b)) a = dominators.get(a) ?? entry;
      while (positionOf(position, b) > positionOf(position, a)) b = dominators.get(b) ?? entry;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const block of others) {
      const known = (predecessors.get(block) ?? []).filter((one) => dominators.has(one));
      const [first, ...rest] = known;
      if (first === undefined) continue;
      const dominator = rest.reduce(meet, first);
      if (dominators.get(block) === dominator) continue;
      dominators.set(block, dominator);
      changed = true;
    }
  }
  return dominators;
}

function dominates(block: Block, of: Block, dominators: ReadonlyMap<Block, Block>): boolean {
  for (let at = of; ;) {
    if (at === block) return true;
    const up = dominators.get(at);
    if (up === undefined || up === at) return false;
    at = up;
  }
}

function placements(
  order: readonly Block[],
  position: ReadonlyMap<Block, number>,
  edges: readonly FlowEdge[],
  dominators: ReadonlyMap<Block, Block>,
  entries: ReadonlySet<Block>,
): ReadonlyMap<Block, Placement> {
  const loops = new Set<Block>();
  const forward = new Map<Block, number>();
  for (const { from, edge } of edges) {
    if (edge.block === undefined) continue;
    if (positionOf(position, edge.block) <= positionOf(position, from)) loops.add(edge.block);
    else forward.set(edge.block, (forward.get(edge.block) ?? 0) + 1);
  }
  const isMerge = (block: Block): boolean => entries.has(block) || (forward.get(block) ?? 0) > 1;
  const merges = new Map<Block, Block[]>();
  for (const block of order.toReversed()) {
    const dominator = dominators.get(block);
    if (dominator === undefined || dominator === block || !isMerge(block)) continue;
    const known = merges.get(dominator) ?? [];
    known.push(block);
    merges.set(dominator, known);
  }
  return new Map(
    order.map((block, index) => [
      block,
      { order: index, merges: merges.get(block) ?? [], isLoop: loops.has(block), isMerge: isMerge(block) },
    ]),
  );
}
