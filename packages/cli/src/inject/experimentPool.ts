import { fileURLToPath } from 'node:url';
import { Campaign, type ExperimentRecord } from '@rmk/campaign';
import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { Piscina } from 'piscina';
import { planCampaign, type PlannedCampaign } from './experimentFile.js';

/** What a worker does. */
export interface WorkerTask {
  readonly file: string;
  readonly number: number;
}

/** Runs experiments in worker threads, each with a golden run of its own. */
export interface ExperimentPool {
  readonly workers: number;
  run(number: number): Promise<ExperimentRecord>;
  close(): Promise<void>;
}

/** One worker runs in this thread. */
export async function experimentPool(
  file: string,
  planned: PlannedCampaign,
  workers: number,
): Promise<ExperimentPool> {
  // The golden run and the faults are checked here in any case, before anything is written.
  const campaign = await Campaign.prepare(planned.guest, planned.experiment);
  if (workers === 1) return { workers, run: (number) => campaign.run(number), close: async () => {} };
  const pool = new Piscina<WorkerTask, ExperimentRecord>({
    filename: workerFile(),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    idleTimeout: 60_000,
    // Built code needs none of the flags that this process may have for its sources.
    execArgv: [],
  });
  return {
    workers,
    run: (number) => pool.run({ file, number }),
    close: () => pool.destroy(),
  };
}

/** A worker thread runs built code, also where the command line runs from its sources. */
function workerFile(): string {
  return fileURLToPath(new URL('../../dist/inject/experimentWorker.js', import.meta.url));
}

const campaigns = new Map<string, Promise<Campaign<MachineSnapshot>>>();

/** In a worker thread: prepares the campaign of a file once, and runs one experiment of it. */
export async function runInWorker({ file, number }: WorkerTask): Promise<ExperimentRecord> {
  const campaign = campaigns.get(file) ?? prepared(file);
  campaigns.set(file, campaign);
  return (await campaign).run(number);
}

async function prepared(file: string): Promise<Campaign<MachineSnapshot>> {
  const { guest, experiment } = await planCampaign(file);
  return Campaign.prepare(guest, experiment);
}
