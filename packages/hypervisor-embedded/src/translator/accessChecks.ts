import type { Instruction } from './instruction.js';
import type { Fetched } from './region.js';

/** What is checked before a load or store; the checks of those before it hold already. */
export interface AccessCheck {
  /** Bytes that must lie in RAM, from the address in the register on: this access and others that follow. */
  readonly range: { readonly from: number; readonly to: number } | undefined;
  /** Whether the address must be a multiple of the width. */
  readonly isAligned: boolean;
}

/** The accesses through a register since it changed last. */
interface Group {
  readonly first: number;
  from: number;
  to: number;
  readonly aligned: { readonly width: number; readonly offset: number }[];
}

/** Less than a page, and less than any RAM has. */
const MAX_RANGE = 2048;

/**
 * Which checks the loads and stores of a block need. One of the range serves all accesses through the same register, as
 * long as that does not change: where it fails, the interpreter executes the first of them.
 */
export function accessChecks(body: readonly Fetched[]): ReadonlyMap<number, AccessCheck> {
  const groups = new Map<number, Group>();
  const ranges = new Map<number, Group>();
  const alignments = new Set<number>();
  const accesses: number[] = [];
  for (const [index, { instruction }] of body.entries()) {
    if (instruction === undefined) continue;
    if (instruction.kind === 'load' || instruction.kind === 'store') {
      accesses.push(index);
      const group = joined(groups.get(instruction.rs1), instruction, index);
      groups.set(instruction.rs1, group);
      ranges.set(group.first, group);
      if (instruction.kind === 'store' && needsAlignment(group, instruction)) alignments.add(index);
    }
    if ('rd' in instruction) groups.delete(instruction.rd);
  }
  return new Map(
    accesses.map((index) => [index, { range: ranges.get(index), isAligned: alignments.has(index) }]),
  );
}

type Access = Extract<Instruction, { kind: 'load' | 'store' }>;

function joined(group: Group | undefined, { immediate, width }: Access, index: number): Group {
  const from = Math.min(group?.from ?? immediate, immediate);
  const to = Math.max(group?.to ?? immediate, immediate + width);
  if (group === undefined || to - from > MAX_RANGE)
    return { first: index, from: immediate, to: immediate + width, aligned: [] };
  group.from = from;
  group.to = to;
  return group;
}

function needsAlignment({ aligned }: Group, { immediate, width }: Access): boolean {
  if (width === 1) return false;
  const isKnown = aligned.some((known) => known.width >= width && (known.offset - immediate) % width === 0);
  if (!isKnown) aligned.push({ width, offset: immediate });
  return !isKnown;
}
