import { PAGE_BYTES, type EpochReport } from '@rmk/core';
import { RAM_BASE, type MachineOptions } from '@rmk/hypervisor-embedded';
import { epochFigures, overlapOf, wholeEpochs, type EpochFigures } from './epochFigures.js';
import { spreadOf, type Spread } from './figures.js';
import { TestedGuest, type Engine, type Protection } from './testedGuest.js';
import type { HostClock } from './threadTime.js';

/** How long a program is measured. */
export interface Extent {
  /** Each with new guests, since no two translate the same code at the same moment. */
  readonly rounds: number;
  readonly warmUpMs: number;
  /** Of guest time: all guests run it in turns. */
  readonly chunkMs: number;
  readonly chunks: number;
}

/** One program under one protection. */
export interface ProtectedFigures {
  readonly protection: string;
  readonly intervalMs: number;
  /** Host time to that of the same stretch of the same program without protection, in the same turn. */
  readonly normalised: Spread;
  /** Absent for peers, which are no algorithms. */
  readonly epochs?: EpochFigures;
  /** Host time of a checkpoint's pause, in µs. */
  readonly pauseUs: Spread;
  /**
   * The part of the host time that the pauses took, measured within them: what no difference between two guests blurs.
   */
  readonly pauseShare: Spread;
  /** Host time in µs of a page fault, from what is left of the extra time without the pauses. */
  readonly faultUs?: Spread;
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

/** Runs a program without and with each protection, in turns, stretch by stretch. */
export async function runProgram(
  options: MachineOptions,
  engine: Engine,
  protections: readonly Protection[],
  extent: Extent,
  clock: HostClock,
): Promise<ProgramFigures> {
  const rounds: Round[] = [];
  for (let round = 0; round < extent.rounds; round++) {
    rounds.push(await runRound(options, engine, protections, extent, clock));
  }
  // What is counted is the same in every round.
  const { epochs = [], statePages = 0 } = rounds[0] ?? {};
  const epochsOf = (index: number): readonly EpochReport[] => epochs[index] ?? [];
  const written = new Map(
    protections.flatMap(({ algorithm, intervalMs }, index) =>
      algorithm === 'cowb' ? [[intervalMs, epochsOf(index)] as const] : [],
    ),
  );
  const shortest = Math.min(...written.keys());
  return {
    program: options.name,
    mips: spreadOf(rounds.flatMap(({ mips }) => mips)).median,
    linesPerSecond: spreadOf(rounds.flatMap(({ linesPerSecond }) => linesPerSecond)).median,
    statePages,
    overlap: overlapOf(wholeEpochs(written.get(shortest) ?? [], shortest, extent.warmUpMs)),
    protections: protections.map(({ name, intervalMs, algorithm }, index) => {
      const whole = wholeEpochs(epochsOf(index), intervalMs, firstWhole(intervalMs, extent));
      const allEpochs = rounds.flatMap((round) => round.epochs[index] ?? []);
      return {
        protection: name,
        intervalMs,
        normalised: spreadOf(rounds.flatMap(({ ratios }) => ratios[index] ?? [])),
        pauseUs: spreadOf(allEpochs.map(({ pauseHostNs }) => pauseHostNs / 1000)),
        pauseShare: spreadOf(rounds.flatMap(({ pauseShares }) => pauseShares[index] ?? [])),
        ...(algorithm === undefined ? {} : { epochs: epochFigures(whole) }),
        ...(algorithm === 'cowb'
          ? { faultUs: spreadOf(rounds.flatMap(({ faultUs }) => faultUs[index] ?? [])) }
          : {}),
      };
    }),
    written,
    pauses: rounds
      .flatMap((round) => round.epochs.filter((_, index) => protections[index]?.algorithm === 'cowp').flat())
      .map(({ pagesPreSaved, pauseHostNs }) => ({ pages: pagesPreSaved, us: pauseHostNs / 1000 })),
  };
}

/** What one round measured, by protection. */
interface Round {
  readonly mips: readonly number[];
  readonly linesPerSecond: readonly number[];
  readonly statePages: number;
  readonly ratios: readonly (readonly number[])[];
  readonly faultUs: readonly (readonly number[])[];
  readonly pauseShares: readonly (readonly number[])[];
  readonly epochs: readonly (readonly EpochReport[])[];
}

async function runRound(
  options: MachineOptions,
  engine: Engine,
  protections: readonly Protection[],
  { warmUpMs, chunkMs, chunks }: Extent,
  clock: HostClock,
): Promise<Round> {
  const started: TestedGuest[] = [];
  const start = async (protection?: Protection): Promise<TestedGuest> => {
    const guest = await TestedGuest.start(options, engine, protection, clock);
    started.push(guest);
    return guest;
  };
  try {
    const plain = await start();
    const tested: TestedGuest[] = [];
    for (const protection of protections) tested.push(await start(protection));
    // The last ones have a warm host; the first ones must have it too.
    for (const guest of started.toReversed()) await guest.advance(warmUpMs);
    const ratios = protections.map((): number[] => []);
    const faultUs = protections.map((): number[] => []);
    const pauseShares = protections.map((): number[] => []);
    const mips: number[] = [];
    const linesPerSecond: number[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) {
      const { instructions } = plain.machine;
      const lines = linesOf(plain);
      const closed = tested.map((guest) => guest.epochs.length);
      // First and last in turns, so that a drift of the host favours nobody.
      const took = new Map<TestedGuest, number>();
      for (const guest of chunk % 2 === 0 ? started : started.toReversed()) {
        took.set(guest, await guest.advance(chunkMs));
      }
      const plainNs = took.get(plain) ?? Number.NaN;
      mips.push(((plain.machine.instructions - instructions) / plainNs) * 1000);
      linesPerSecond.push(((linesOf(plain) - lines) / plainNs) * 1e9);
      for (const [index, guest] of tested.entries()) {
        const ns = took.get(guest) ?? Number.NaN;
        ratios[index]?.push(ns / plainNs);
        const pausesNs = pausesOf(guest.epochs.slice(closed[index]));
        pauseShares[index]?.push(pausesNs / (ns - pausesNs));
        const cost = faultCostUs(guest.epochs.slice(closed[index]), ns - plainNs);
        if (cost !== undefined) faultUs[index]?.push(cost);
      }
    }
    for (const guest of tested) await guest.closeEpoch();
    const statePages = await pagesInUse(plain);
    return {
      mips,
      linesPerSecond,
      statePages,
      ratios,
      faultUs,
      pauseShares,
      epochs: tested.map(({ epochs }) => epochs),
    };
  } finally {
    for (const guest of started) await guest[Symbol.asyncDispose]();
  }
}

/** The first epoch begins at the boot, before which nothing ran. */
function firstWhole(intervalMs: number, { warmUpMs }: Extent): number {
  return Math.min(warmUpMs, intervalMs);
}

/** What is left of the extra time when the pauses are taken off, for each page fault. */
function faultCostUs(epochs: readonly EpochReport[], extraNs: number): number | undefined {
  const faults = epochs.reduce((sum, { pageFaults }) => sum + pageFaults, 0);
  return faults === 0 ? undefined : (extraNs - pausesOf(epochs)) / faults / 1000;
}

function pausesOf(epochs: readonly EpochReport[]): number {
  return epochs.reduce((sum, { pauseHostNs }) => sum + pauseHostNs, 0);
}

function linesOf({ machine }: TestedGuest): number {
  const lineFeed = 0x0a;
  return machine.committedOutput.reduce((sum, byte) => (byte === lineFeed ? sum + 1 : sum), 0);
}

async function pagesInUse({ machine }: TestedGuest): Promise<number> {
  const words = new Uint32Array((await machine.read(RAM_BASE, machine.memoryPages * PAGE_BYTES)).buffer);
  const pageWords = PAGE_BYTES / Uint32Array.BYTES_PER_ELEMENT;
  let used = 0;
  for (let page = 0; page < machine.memoryPages; page++) {
    if (words.subarray(page * pageWords, (page + 1) * pageWords).some((word) => word !== 0)) used++;
  }
  return used;
}
