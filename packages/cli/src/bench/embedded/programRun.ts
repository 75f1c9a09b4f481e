import { PAGE_BYTES, type EpochReport } from '@rmk/core';
import {
  RAM_BASE,
  type EmbeddedMachine,
  type MachineOptions,
  type MachineSnapshot,
} from '@rmk/hypervisor-embedded';
import { epochFigures, overlapOf, wholeEpochs, type EpochFigures } from './epochFigures.js';
import { spreadOf, type Spread } from './figures.js';
import { measurePair, stretchEndMs, type Pair } from './pairedTimes.js';
import { TestedGuest, type Engine, type Protection } from './testedGuest.js';
import type { HostClock } from './threadTime.js';

/** How long a program is measured. */
export interface Extent {
  /** Guest time before anything is measured. */
  readonly warmUpMs: number;
  /** Epochs are counted over so much guest time, or over {@link countedEpochs} of them where they are long. */
  readonly countMs: number;
  /** The first is left out: nothing was written before it. */
  readonly countedEpochs: number;
  /** Pairs of stretches at the shortest interval. At longer ones they are fewer, for about as much guest time. */
  readonly pairs: number;
  /** Intervals at which times are taken; at the others epochs are counted. */
  readonly timedMs: readonly number[];
}

/** One program under one protection. */
export interface ProtectedFigures {
  readonly protection: string;
  readonly intervalMs: number;
  /** Host time with protection to that without, by pair. Empty where no times are taken. */
  readonly ratios: readonly number[];
  /** Their median and quartiles. */
  readonly normalised: Spread;
  /** Absent for what is no algorithm. */
  readonly epochs?: EpochFigures;
  /** Host time of a checkpoint's pause, in µs. */
  readonly pauseUs: Spread;
  /** The part of the host time that the pauses took, measured within them. */
  readonly pauseShare: Spread;
  /** Host time in µs of a page fault, by pair, from what is left of the extra time without the pauses. */
  readonly faultUs: readonly number[];
}

/** One program on one engine. */
export interface ProgramFigures {
  readonly program: string;
  /** Of the unprotected guest. */
  readonly mips: number;
  /** Lines of output in a second of host time, of the unprotected guest. */
  readonly linesPerSecond: number;
  /** Pages that are not all zero. */
  readonly statePages: number;
  /** Of the pages written, from epoch to epoch, at the shortest interval. */
  readonly overlap: number;
  readonly protections: readonly ProtectedFigures[];
  /** What COWB reports at each interval: what was written depends on no algorithm. */
  readonly written: ReadonlyMap<number, readonly EpochReport[]>;
  /** Of each checkpoint under COWP: pages saved ahead, and host time in µs. */
  readonly pauses: readonly { readonly pages: number; readonly us: number }[];
}

/** Fewer say nothing of their spread. */
const FEWEST_PAIRS = 3;

/** Runs a program without and with each protection, from the same state on. */
export async function runProgram(
  options: MachineOptions,
  engine: Engine,
  protections: readonly Protection[],
  extent: Extent,
  clock: HostClock,
): Promise<ProgramFigures> {
  await using guest = TestedGuest.start(options, engine, clock);
  await guest.advance(extent.warmUpMs);
  const from = guest.machine.snapshot();
  const plain = await plainRun(guest, from, extent);
  // What compiles while epochs are counted is compiled when times are taken.
  const counted: (readonly EpochReport[])[] = [];
  for (const protection of protections) counted.push(await countEpochs(guest, from, protection, extent));
  const pairs = await measurePairs(guest, from, protections, extent);
  const figures = protections.map((protection, index) =>
    figuresOf(protection, counted[index] ?? [], pairs[index] ?? []),
  );
  const written = new Map(
    protections.flatMap(({ algorithm, intervalMs }, index) =>
      algorithm === 'cowb' ? [[intervalMs, counted[index] ?? []] as const] : [],
    ),
  );
  const shortest = Math.min(...written.keys());
  return {
    program: options.name,
    ...plain,
    overlap: overlapOf(wholeEpochs(written.get(shortest) ?? [], shortest, 0)),
    protections: figures,
    written,
    pauses: counted
      .filter((_, index) => protections[index]?.algorithm === 'cowp')
      .flat()
      .map(({ pagesPreSaved, pauseHostNs }) => ({ pages: pagesPreSaved, us: pauseHostNs / 1000 })),
  };
}

/** What is measured without protection. */
async function plainRun(guest: TestedGuest, from: MachineSnapshot, { countMs }: Extent) {
  guest.machine.load(from);
  const { instructions } = guest.machine;
  const lines = linesOf(guest.machine);
  const ns = await guest.advance(countMs);
  return {
    mips: ((guest.machine.instructions - instructions) / ns) * 1000,
    linesPerSecond: ((linesOf(guest.machine) - lines) / ns) * 1e9,
    statePages: await pagesInUse(guest.machine),
  };
}

async function countEpochs(
  guest: TestedGuest,
  from: MachineSnapshot,
  protection: Protection,
  extent: Extent,
): Promise<readonly EpochReport[]> {
  if (protection.algorithm === undefined) return [];
  guest.machine.load(from);
  await using protectedGuest = await guest.protect(protection);
  await guest.advance(countedMs(extent, protection.intervalMs));
  await protectedGuest.closeEpoch();
  return protectedGuest.epochs;
}

/** Guest time over which the epochs of an interval are counted. */
export function countedMs({ countMs, countedEpochs }: Extent, intervalMs: number): number {
  return Math.max(countMs, countedEpochs * intervalMs);
}

/** In turns, so that what slows the host down for a while reaches all protections. */
async function measurePairs(
  guest: TestedGuest,
  from: MachineSnapshot,
  protections: readonly Protection[],
  { pairs, timedMs }: Extent,
): Promise<readonly (readonly Pair[])[]> {
  const shortest = Math.min(...protections.map(({ intervalMs }) => intervalMs));
  const measured = protections.map((): Pair[] => []);
  for (let turn = 0; turn < pairs; turn++) {
    for (const [index, protection] of protections.entries()) {
      const { intervalMs } = protection;
      if (!timedMs.includes(intervalMs) || turn >= pairsAt(intervalMs, shortest, pairs)) continue;
      measured[index]?.push(await measurePair(guest, from, protection));
    }
  }
  return measured;
}

function pairsAt(intervalMs: number, shortestMs: number, pairs: number): number {
  const asLong = Math.round((pairs * stretchEndMs(shortestMs)) / stretchEndMs(intervalMs));
  return Math.max(Math.min(FEWEST_PAIRS, pairs), asLong);
}

function figuresOf(
  { name, intervalMs, algorithm }: Protection,
  epochs: readonly EpochReport[],
  pairs: readonly Pair[],
): ProtectedFigures {
  const ratios = pairs.map(({ plainNs, protectedNs }) => protectedNs / plainNs);
  return {
    protection: name,
    intervalMs,
    ratios,
    normalised: spreadOf(ratios),
    pauseUs: spreadOf(epochs.map(({ pauseHostNs }) => pauseHostNs / 1000)),
    pauseShare: spreadOf(pairs.map(({ pausesNs, protectedNs }) => pausesNs / (protectedNs - pausesNs))),
    // Nothing was written before the first one.
    ...(algorithm === undefined ? {} : { epochs: epochFigures(wholeEpochs(epochs, intervalMs, intervalMs)) }),
    faultUs: pairs.flatMap(({ plainNs, protectedNs, pausesNs, pageFaults }) =>
      pageFaults === 0 ? [] : [(protectedNs - plainNs - pausesNs) / pageFaults / 1000],
    ),
  };
}

function linesOf({ committedOutput }: EmbeddedMachine): number {
  const lineFeed = 0x0a;
  return committedOutput.reduce((sum, byte) => (byte === lineFeed ? sum + 1 : sum), 0);
}

async function pagesInUse(machine: EmbeddedMachine): Promise<number> {
  const words = new Uint32Array((await machine.read(RAM_BASE, machine.memoryPages * PAGE_BYTES)).buffer);
  const pageWords = PAGE_BYTES / Uint32Array.BYTES_PER_ELEMENT;
  let used = 0;
  for (let page = 0; page < machine.memoryPages; page++) {
    if (words.subarray(page * pageWords, (page + 1) * pageWords).some((word) => word !== 0)) used++;
  }
  return used;
}
