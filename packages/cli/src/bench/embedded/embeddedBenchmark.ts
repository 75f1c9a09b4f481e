import type { WorkloadName } from '@rmk/guests';
import { foresight, PLANNERS, type Foresight } from './algorithms.js';
import { geometricMeanOf, meanOf, meanWithError, spreadOf, type Spread } from './figures.js';
import { PAPER_CHECKPOINT } from './paper.js';
import { fullCopy, stopAndCopy } from './peers.js';
import { runProgram, type Extent, type ProgramFigures, type ProtectedFigures } from './programRun.js';
import { qemuMips } from './qemuMips.js';
import { recoveryTimes, type RecoveryTime } from './recoveryTimes.js';
import { serverUnderLoad } from './serverLoad.js';
import { FREQUENCY_HZ, machineOptions, MEMORY_BYTES, type Engine, type Protection } from './testedGuest.js';
import { hostClock } from './threadTime.js';

export interface EmbeddedBenchmarkOptions {
  readonly engines: readonly Engine[];
  readonly programs: readonly WorkloadName[];
  readonly intervalsMs: readonly number[];
  readonly extent: Extent;
  readonly qemu: boolean;
}

export type AlgorithmName = 'cowb' | 'cowp';

/** The average over the programs for one algorithm and interval. */
export interface Average {
  readonly algorithm: AlgorithmName;
  readonly intervalMs: number;
  /** 0.03 is 3 % longer; `error` is half the width of the 95 % interval over the programs. */
  readonly slowdown: { readonly mean: number; readonly error: number };
  /** The pauses alone, to the rest of the host time. */
  readonly pauseShare: number;
  readonly pageFaults: number;
  readonly pagesSaved: number;
  readonly preSavedInVain: number;
  readonly mostSaved: number;
  /** Of the pages of the guest that are not all zero. */
  readonly shareOfState: number;
  readonly throughput: Spread;
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
  /** By peer, of the slowdown at 50 ms. */
  readonly peers: Readonly<Record<string, { readonly mean: number; readonly error: number }>>;
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
const PEER_INTERVAL_MS = 50;
const MEGA = 1e6;

/** Repeats the evaluation of §7 on the embedded hypervisor. */
export async function embeddedBenchmark(
  { engines, programs, intervalsMs, extent, qemu }: EmbeddedBenchmarkOptions,
  progress: (what: string) => void,
): Promise<EmbeddedBenchmarkResult> {
  const clock = hostClock();
  const algorithms = intervalsMs.flatMap((intervalMs) =>
    ALGORITHMS.map((algorithm): Protection => ({ name: algorithm, algorithm, intervalMs })),
  );
  const protections = [...algorithms, fullCopy(PEER_INTERVAL_MS), stopAndCopy(PEER_INTERVAL_MS)];
  const results: EngineFigures[] = [];
  for (const engine of engines) {
    const measured: ProgramFigures[] = [];
    for (const program of programs) {
      progress(`${program} on the ${engine}`);
      measured.push(await runProgram(machineOptions(program, engine), engine, protections, extent, clock));
    }
    progress(`the request server on the ${engine}`);
    const load = serverUnderLoad(engine, extent.warmUpMs + extent.chunks * extent.chunkMs);
    const server = await runProgram(load, engine, algorithms, extent, clock);
    progress(`recoveries on the ${engine}`);
    const recovery: RecoveryTime[] = [];
    for (const program of programs) recovery.push(...(await recoveryTimes(program, engine, extent, clock)));
    results.push(engineFigures(engine, measured, server, recovery, intervalsMs));
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
  intervalsMs: readonly number[],
): EngineFigures {
  const frequencyHz = FREQUENCY_HZ[engine];
  const mips = geometricMeanOf(programs.map((program) => program.mips));
  const peers = ['full copy', 'stop and copy'].map((name) => [
    name,
    meanWithError(programs.map((program) => slowdownOf(find(program, name, PEER_INTERVAL_MS)))),
  ]);
  return {
    engine,
    frequencyHz,
    mips,
    hostMsOf50: (PEER_INTERVAL_MS * frequencyHz) / MEGA / mips,
    programs,
    server,
    averages: intervalsMs.flatMap((intervalMs) =>
      ALGORITHMS.map((algorithm) => averageOf(programs, server, algorithm, intervalMs)),
    ),
    peers: Object.fromEntries(peers) as EngineFigures['peers'],
    costs: unitCosts(programs, intervalsMs),
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

function slowdownOf(figures: ProtectedFigures | undefined): number {
  return (figures?.normalised.median ?? Number.NaN) - 1;
}

function averageOf(
  programs: readonly ProgramFigures[],
  server: ProgramFigures,
  algorithm: AlgorithmName,
  intervalMs: number,
): Average {
  const all = programs.map((program) => find(program, algorithm, intervalMs));
  const epochs = all.flatMap((one) => one?.epochs ?? []);
  const served = find(server, algorithm, intervalMs)?.normalised ?? spreadOf([]);
  return {
    algorithm,
    intervalMs,
    slowdown: meanWithError(all.map(slowdownOf)),
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
    throughput: { median: 1 / served.median, low: 1 / served.high, high: 1 / served.low },
  };
}

/** A line through the pauses of all programs: what a checkpoint costs by itself, and for each page saved ahead. */
function unitCosts(programs: readonly ProgramFigures[], intervalsMs: readonly number[]): UnitCosts {
  const points = programs.map(({ pauses }) => ({
    pages: spreadOf(pauses.map(({ pages }) => pages)).median,
    us: spreadOf(pauses.map(({ us }) => us)).median,
  }));
  const [meanPages, meanUs] = [meanOf(points.map(({ pages }) => pages)), meanOf(points.map(({ us }) => us))];
  const spread = points.reduce((sum, { pages }) => sum + (pages - meanPages) ** 2, 0);
  const common = points.reduce((sum, { pages, us }) => sum + (pages - meanPages) * (us - meanUs), 0);
  const pageUs = spread === 0 ? 0 : common / spread;
  const checkpointUs = Math.max(0, meanUs - pageUs * meanPages);
  const [shortest = PEER_INTERVAL_MS] = intervalsMs;
  const faultUs = spreadOf(
    programs.flatMap((program) => find(program, 'cowb', shortest)?.faultUs?.median ?? []),
  );
  const { cowbFaults, cowpFaults, cowpPreSaved } = PAPER_CHECKPOINT;
  const epochUs = PEER_INTERVAL_MS * 1000;
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
