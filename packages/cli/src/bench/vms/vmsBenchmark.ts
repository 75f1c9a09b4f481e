import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { meanOf, spreadOf, type Spread } from '../embedded/figures.js';
import { hostClock } from '../embedded/threadTime.js';
import { runVms, type VmLoad, type VmLoadFigures } from './vmLoad.js';

export interface VmsBenchmarkOptions {
  readonly counts: readonly number[];
  /** Worker threads that share the VMs; 0 for this thread alone. */
  readonly workers: readonly number[];
  readonly rounds: number;
  /** Guest time before it is measured, until what runs often is compiled. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface VmsFigures {
  readonly vms: number;
  readonly workers: number;
  /** Processor time of a VM for a second of its time, in ms. */
  readonly msOfVm: Spread;
  /** The same to that of the first row, in the same round. */
  readonly ratio: Spread;
  readonly checkpointsOfVm: number;
  readonly residentBytes: number;
}

export interface VmsBenchmarkResult {
  readonly node: string;
  readonly clock: string;
  readonly rows: readonly VmsFigures[];
}

/** Few VMs are measured for longer, so that they are measured as well as many. */
const MOST_REPEATS = 10;

/** What a protected VM costs among others, in one thread and in several. */
export async function vmsBenchmark(
  { counts, workers, rounds, warmUpMs, measuredMs }: VmsBenchmarkOptions,
  progress: (what: string) => void,
): Promise<VmsBenchmarkResult> {
  const settings = workers.flatMap((threads) =>
    counts.filter((vms) => vms >= threads).map((vms) => ({ vms, threads })),
  );
  const most = Math.max(...counts);
  const measured = settings.map((): number[] => []);
  const figures = settings.map(({ vms, threads }) => ({ vms, workers: threads, checkpoints: 0, bytes: 0 }));
  // What all VMs share is compiled here.
  await runVms({ vms: 1, warmUpMs, measuredMs });
  for (let round = 0; round < rounds; round++) {
    for (const [index, { vms, threads }] of settings.entries()) {
      progress(`${vms} VMs ${threads === 0 ? 'in one thread' : `in ${threads} worker threads`}`);
      const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.floor(most / vms)));
      const load = { vms, warmUpMs, measuredMs: repeats * measuredMs };
      const all = threads === 0 ? [await runVms(load)] : await inWorkers(load, threads);
      const guestSeconds = (vms * load.measuredMs) / 1000;
      measured[index]?.push(sum(all, ({ ns }) => ns) / 1e6 / guestSeconds);
      const row = figures[index];
      if (row === undefined) continue;
      row.checkpoints = sum(all, ({ checkpoints }) => checkpoints) / vms;
      // Later rounds still hold what the largest row of the first one took.
      if (round === 0) row.bytes = Math.max(...all.map(({ residentBytes }) => residentBytes));
    }
  }
  const [first = []] = measured;
  return {
    node: process.version,
    clock: hostClock().name,
    rows: figures.map(({ vms, workers: threads, checkpoints, bytes }, index) => {
      const of = measured[index] ?? [];
      return {
        vms,
        workers: threads,
        msOfVm: spreadOf(of),
        ratio: spreadOf(of.map((ms, round) => ms / (first[round] ?? meanOf(first)))),
        checkpointsOfVm: checkpoints,
        residentBytes: bytes,
      };
    }),
  };
}

/** Spreads the VMs evenly. Each thread is new: what one has compiled, another has not. */
async function inWorkers(load: VmLoad, threads: number): Promise<readonly VmLoadFigures[]> {
  const pool = new Piscina<VmLoad, VmLoadFigures>({
    // A worker thread runs built code, also where the command line runs from its sources.
    filename: fileURLToPath(new URL('../../../dist/bench/vms/vmWorker.js', import.meta.url)),
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    execArgv: [],
  });
  try {
    const shares = Array.from({ length: threads }, (_, index) => Math.floor((load.vms + index) / threads));
    return await Promise.all(shares.map((vms) => pool.run({ ...load, vms })));
  } finally {
    await pool.destroy();
  }
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
