import type { WorkloadName } from '@rmk/guests';
import { foresight, PLANNERS, type Foresight } from './algorithms.js';
import { geometricMeanOf, meanOf, meanOfMedians, spreadOf, type Estimate, type Spread } from './figures.js';
import { PAPER_CHECKPOINT } from './paper.js';
import { fullCopy, stopAndCopy } from './peers.js';
import { stretchEndMs } from './pairedTimes.js';
import {
  countedMs,
  runProgram,
  type Extent,
  type ProgramFigures,
  type ProtectedFigures,
} from './programRun.js';
import { qemuMips } from './qemuMips.js';
import { recoveryTimes, type RecoveryTime } from './recoveryTimes.js';
import { serverUnderLoad } from './serverLoad.js';
import { FREQUENCY_HZ, machineOptions, MEMORY_BYTES, type Engine, type Protection } from './testedGuest.js';
import { storeCheckRatios } from './storeCheck.js';
import { hostClock } from './threadTime.js';

export interface EmbeddedBenchmarkOptions {
  readonly engines: readonly Engine[];
  readonly programs: readonly WorkloadName[];
  readonly intervalsMs: readonly number[];
  readonly extent: Extent;
  /** Pairs of VMs on which the check of stores is measured. */
  readonly storeCheckRounds: number;
  readonly qemu: boolean;
}

export type AlgorithmName = 'cowb' | 'cowp';

/** The average over the programs for one algorithm and interval. */
export interface Average {
  readonly algorithm: AlgorithmName;
  readonly intervalMs: number;
  /** 0.03 is 3 % longer. Undefined where no times are taken. */
  readonly slowdown: Estimate | undefined;
  /** Of a program, at least. */
  readonly pairs: number;
  /** The pauses alone, to the rest of the host time. */
  readonly pauseShare: number;
  readonly pageFaults: number;
  readonly pagesSaved: number;
  readonly preSavedInVain: number;
  readonly mostSaved: number;
  /** Of the pages of the guest that are not all zero. */
  readonly shareOfState: number;
  /** Of the request server, to that without checkpoints. Undefined where no times are taken. */
  readonly throughput: Spread | undefined;
}

/** What the parts of a checkpoint cost, in µs of host time. */
export interface UnitCosts {
  readonly checkpointUs: number;
  readonly pageUs: number;
  readonly faultUs: Spread;
  /** Slowdown at 50 ms with the paper's average checkpoint, at these costs. */
  readonly projectedSlowdown: Readonly<Record<AlgorithmName, number>>;
}

export interface EngineFigures {
  readonly engine: Engine;
  readonly frequencyHz: number;
  /** Geometric mean over the programs. */
  readonly mips: number;
  /** Host time of 50 ms of guest time: the geometric mean over the programs. */
  readonly hostMsOf50: number;
  readonly programs: readonly ProgramFigures[];
  readonly server: ProgramFigures;
  readonly averages: readonly Average[];
  /** The "slowdown" of no protection at all, measured as the others are. */
  readonly noise: Estimate;
  /** What the check of each store takes by itself. Undefined for the interpreter, which has no mode without. */
  readonly storeCheck: Estimate | undefined;
  /** By peer, of the slowdown at {@link peerIntervalMs}. */
  readonly peers: Readonly<Record<string, Estimate>>;
  readonly peerIntervalMs: number;
  readonly costs: UnitCosts;
  readonly recovery: readonly RecoveryTime[];
  readonly algorithms: readonly { readonly intervalMs: number; readonly foresights: readonly Foresight[] }[];
}

export interface EmbeddedBenchmarkResult {
  readonly clock: string;
  readonly node: string;
  readonly memoryBytes: number;
  readonly extent: Extent;
  readonly engines: readonly EngineFigures[];
  readonly qemuMips: number | undefined;
}

const ALGORITHMS = ['cowb', 'cowp'] as const;
const PROJECTED_INTERVAL_MS = 50;
const MEGA = 1e6;
const NO_PROTECTION = 'none';
/** In an epoch, for a program to show what a page fault costs. */
const FEWEST_FAULTS = 300;

/** Repeats the evaluation of §7 on the embedded hypervisor. */
export async function embeddedBenchmark(
  { engines, programs, intervalsMs, extent, storeCheckRounds, qemu }: EmbeddedBenchmarkOptions,
  progress: (what: string) => void,
): Promise<EmbeddedBenchmarkResult> {
  const clock = hostClock();
  const [shortest = PROJECTED_INTERVAL_MS] = intervalsMs;
  const algorithms = intervalsMs.flatMap((intervalMs) =>
    ALGORITHMS.map((algorithm): Protection => ({ name: algorithm, algorithm, intervalMs })),
  );
  const protections = [
    { name: NO_PROTECTION, intervalMs: shortest },
    ...algorithms,
    fullCopy(shortest),
    stopAndCopy(shortest),
  ];
  const results: EngineFigures[] = [];
  for (const engine of engines) {
    const measured: ProgramFigures[] = [];
    for (const program of programs) {
      progress(`${program} on the ${engine}`);
      measured.push(await runProgram(machineOptions(program, engine), engine, protections, extent, clock));
    }
    progress(`the request server on the ${engine}`);
    const longest = Math.max(...intervalsMs.map((ms) => Math.max(stretchEndMs(ms), countedMs(extent, ms))));
    const load = serverUnderLoad(engine, extent.warmUpMs + longest);
    const server = await runProgram(load, engine, algorithms, extent, clock);
    progress(`recoveries on the ${engine}`);
    const recovery: RecoveryTime[] = [];
    for (const program of programs) recovery.push(...(await recoveryTimes(program, engine, extent, clock)));
    const checks: (readonly number[])[] = [];
    if (engine === 'translator' && storeCheckRounds > 0) {
      progress('the check of stores');
      for (const program of programs)
        checks.push(await storeCheckRatios(program, storeCheckRounds, extent.warmUpMs, clock));
    }
    results.push(engineFigures(engine, measured, server, recovery, checks, intervalsMs));
  }
  const underQemu: number[] = [];
  if (qemu) {
    for (const program of programs) {
      progress(`${program} under QEMU`);
      underQemu.push(...[await qemuMips(program)].flatMap((mips) => mips ?? []));
    }
  }
  return {
    clock: clock.name,
    node: process.version,
    memoryBytes: MEMORY_BYTES,
    extent,
    engines: results,
    qemuMips: underQemu.length === 0 ? undefined : geometricMeanOf(underQemu),
  };
}

function engineFigures(
  engine: Engine,
  programs: readonly ProgramFigures[],
  server: ProgramFigures,
  recovery: readonly RecoveryTime[],
  checks: readonly (readonly number[])[],
  intervalsMs: readonly number[],
): EngineFigures {
  const frequencyHz = FREQUENCY_HZ[engine];
  const mips = geometricMeanOf(programs.map((program) => program.mips));
  const [shortest = PROJECTED_INTERVAL_MS] = intervalsMs;
  const slowdown = (name: string) => slowdownOf(programs.map((program) => find(program, name, shortest)));
  return {
    engine,
    frequencyHz,
    mips,
    hostMsOf50: (PROJECTED_INTERVAL_MS * frequencyHz) / MEGA / mips,
    programs,
    server,
    averages: intervalsMs.flatMap((intervalMs) =>
      ALGORITHMS.map((algorithm) => averageOf(programs, server, algorithm, intervalMs)),
    ),
    noise: slowdown(NO_PROTECTION),
    storeCheck: checks.length === 0 ? undefined : lessOne(meanOfMedians(checks)),
    peers: { 'full copy': slowdown('full copy'), 'stop and copy': slowdown('stop and copy') },
    peerIntervalMs: shortest,
    costs: unitCosts(programs, shortest),
    recovery,
    algorithms: intervalsMs.map((intervalMs) => ({
      intervalMs,
      foresights: Object.entries(PLANNERS).map(([name, planner]) =>
        meanForesight(
          name,
          programs.map(({ written }) => foresight(name, planner, written.get(intervalMs) ?? [], intervalMs)),
        ),
      ),
    })),
  };
}

function meanForesight(algorithm: string, all: readonly Foresight[]): Foresight {
  return {
    algorithm,
    pageFaults: meanOf(all.map(({ pageFaults }) => pageFaults)),
    preSavedInVain: meanOf(all.map(({ preSavedInVain }) => preSavedInVain)),
    faultsSaved: meanOf(all.map(({ faultsSaved }) => faultsSaved)),
  };
}

export function find(
  program: ProgramFigures,
  name: string,
  intervalMs: number,
): ProtectedFigures | undefined {
  return program.protections.find((one) => one.protection === name && one.intervalMs === intervalMs);
}

/** By how much longer the programs take. */
function slowdownOf(all: readonly (ProtectedFigures | undefined)[]): Estimate {
  return lessOne(meanOfMedians(all.map((figures) => figures?.ratios ?? [])));
}

function lessOne({ mean, low, high }: Estimate): Estimate {
  return { mean: mean - 1, low: low - 1, high: high - 1 };
}

function averageOf(
  programs: readonly ProgramFigures[],
  server: ProgramFigures,
  algorithm: AlgorithmName,
  intervalMs: number,
): Average {
  const all = programs.map((program) => find(program, algorithm, intervalMs));
  const epochs = all.flatMap((one) => one?.epochs ?? []);
  const served = find(server, algorithm, intervalMs);
  const pairs = Math.min(...all.map((one) => one?.ratios.length ?? 0));
  return {
    algorithm,
    intervalMs,
    slowdown: pairs === 0 ? undefined : slowdownOf(all),
    pairs,
    pauseShare: meanOf(all.map((one) => one?.pauseShare.median ?? 0)),
    pageFaults: meanOf(epochs.map(({ pageFaults }) => pageFaults)),
    pagesSaved: meanOf(epochs.map(({ pagesSaved }) => pagesSaved)),
    preSavedInVain: meanOf(epochs.map(({ preSavedInVain }) => preSavedInVain)),
    mostSaved: Math.max(...epochs.map(({ mostSaved }) => mostSaved)),
    shareOfState: meanOf(
      programs.map(
        (program, index) => (all[index]?.epochs?.pagesSaved ?? 0) / Math.max(1, program.statePages),
      ),
    ),
    throughput:
      served === undefined || served.ratios.length === 0
        ? undefined
        : spreadOf(served.ratios.map((ratio) => 1 / ratio)),
  };
}

/** A line through the pauses of all programs: what a checkpoint costs by itself, and for each page saved ahead. */
function unitCosts(programs: readonly ProgramFigures[], shortestMs: number): UnitCosts {
  const points = programs.map(({ pauses }) => ({
    pages: spreadOf(pauses.map(({ pages }) => pages)).median,
    us: spreadOf(pauses.map(({ us }) => us)).median,
  }));
  const [meanPages, meanUs] = [meanOf(points.map(({ pages }) => pages)), meanOf(points.map(({ us }) => us))];
  const spread = points.reduce((sum, { pages }) => sum + (pages - meanPages) ** 2, 0);
  const common = points.reduce((sum, { pages, us }) => sum + (pages - meanPages) * (us - meanUs), 0);
  const pageUs = spread === 0 ? 0 : common / spread;
  const checkpointUs = Math.max(0, meanUs - pageUs * meanPages);
  // Where few pages are written, the noise of two stretches is all that is left for a fault.
  const faultUs = spreadOf(
    programs
      .map((program) => find(program, 'cowb', shortestMs))
      .filter((figures) => (figures?.epochs?.pageFaults ?? 0) >= FEWEST_FAULTS)
      .flatMap((figures) => figures?.faultUs ?? []),
  );
  const { cowbFaults, cowpFaults, cowpPreSaved } = PAPER_CHECKPOINT;
  const epochUs = PROJECTED_INTERVAL_MS * 1000;
  return {
    checkpointUs,
    pageUs,
    faultUs,
    projectedSlowdown: {
      cowb: (checkpointUs + cowbFaults * faultUs.median) / epochUs,
      cowp: (checkpointUs + cowpFaults * faultUs.median + cowpPreSaved * pageUs) / epochUs,
    },
  };
}

/** By how much COWP cuts the page faults of COWB: the mean over the programs. */
export function faultReduction({ programs }: EngineFigures, intervalMs: number): number {
  return meanOf(
    programs.map((program) => {
      const [cowb, cowp] = ALGORITHMS.map((name) => find(program, name, intervalMs)?.epochs?.pageFaults ?? 0);
      return cowb === undefined || cowb === 0 ? 0 : 1 - (cowp ?? 0) / cowb;
    }),
  );
}
