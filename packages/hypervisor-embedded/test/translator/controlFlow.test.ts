import { describe, expect, it } from 'vitest';
import { edgesOf, placeBlocks } from '../../src/translator/controlFlow.js';
import type { Block, Edge, Ending } from '../../src/translator/region.js';

/** Blocks by number with the numbers that they lead to, the first being the entry. */
function graph(ways: readonly (readonly number[])[]): readonly Block[] {
  const edges: Edge[] = [];
  const edge = (pc: number): Edge => {
    const made: Edge = { pc, block: undefined };
    edges.push(made);
    return made;
  };
  const blocks = ways.map(([one, other], pc): Block => {
    const ending: Ending =
      one === undefined
        ? { kind: 'interpret', pc }
        : other === undefined
          ? { kind: 'jump', to: edge(one) }
          : { kind: 'branch', op: 'eq', rs1: 0, rs2: 0, taken: edge(one), otherwise: edge(other) };
    return { pc, body: [], ending, length: 1 };
  });
  for (const made of edges) made.block = blocks[made.pc];
  return blocks;
}

function placed(ways: readonly (readonly number[])[]) {
  const blocks = graph(ways);
  const [entry] = blocks;
  if (entry === undefined) throw new TypeError('a graph has an entry');
  const { placements } = placeBlocks([entry]);
  return blocks.map((block) => placements.get(block));
}

describe('placeBlocks', () => {
  it('finds the head of a loop, and what follows a choice', () => {
    const [entry, head, left, right, join] = placed([[1], [2, 3], [4], [4], [1, 5], []]);
    expect(entry).toMatchObject({ isLoop: false, isMerge: true });
    expect(head).toMatchObject({ isLoop: true });
    expect(left).toMatchObject({ isMerge: false });
    expect(right).toMatchObject({ isMerge: false });
    expect(join).toMatchObject({ isMerge: true, isLoop: false });
    expect(head?.merges.map(({ pc }) => pc)).toEqual([4]);
  });

  it('takes a block that leads to itself for a loop', () => {
    const [, self] = placed([[1], [1, 2], []]);
    expect(self).toMatchObject({ isLoop: true });
  });

  it('orders every block behind those that dominate it', () => {
    const ways = [[1, 2], [3], [3], [4, 1], []];
    const placements = placed(ways);
    const order = (pc: number) => placements[pc]?.order ?? -1;
    expect(order(0)).toBe(1);
    expect(order(3)).toBeGreaterThan(order(2));
    expect(order(4)).toBeGreaterThan(order(3));
  });

  it('sends an edge into the middle of a loop by way of the dispatcher, with its target as an entry', () => {
    // 1 and 2 lead to each other, and both are reached from 0: neither heads the loop.
    const blocks = graph([[1, 2], [2], [1, 3], []]);
    const [entry, one, two] = blocks;
    if (entry === undefined) throw new TypeError('a graph has an entry');
    const { dispatcher, placements } = placeBlocks([entry]);
    const dispatched = [one, two].filter(
      (block) => block !== undefined && edgesOf(block.ending).some(({ isDispatched }) => isDispatched),
    );
    expect(dispatched).toHaveLength(1);
    const entries = edgesOf(dispatcher.ending).map(({ pc }) => pc);
    expect(entries).toEqual([0, dispatched[0] === one ? 2 : 1]);
    expect([...placements.values()].some(({ isLoop }) => isLoop)).toBe(false);
  });

  it('places each entry right below the dispatcher', () => {
    const blocks = graph([[1], [2], [3, 1], []]);
    const [entry, , other] = blocks;
    if (entry === undefined || other === undefined) throw new TypeError('a graph has an entry');
    const { dispatcher, placements } = placeBlocks([entry, other]);
    expect(placements.get(dispatcher)?.merges.map(({ pc }) => pc)).toEqual(
      [...(placements.get(dispatcher)?.merges ?? [])]
        .toSorted((a, b) => (placements.get(b)?.order ?? 0) - (placements.get(a)?.order ?? 0))
        .map(({ pc }) => pc),
    );
    expect(placements.get(dispatcher)?.merges).toEqual(expect.arrayContaining([entry, other]));
  });

  it('leaves out what cannot be reached', () => {
    expect(placed([[1], [], [1]])[2]).toBeUndefined();
  });
});
