import { fileURLToPath } from 'node:url';
import type { ExperimentRecord } from '@rmk/campaign';
import { Piscina } from 'piscina';
import type { CampaignSource } from './campaignSource.js';
import { PreparedCampaigns } from './preparedCampaigns.js';

/** What a worker does. */
export interface WorkerTask {
  readonly source: CampaignSource;
  readonly number: number;
}

/** Runs experiments in worker threads, each with a golden run of its own. */
export interface ExperimentPool {
  readonly workers: number;
  run(source: CampaignSource, number: number): Promise<ExperimentRecord>;
  close(): Promise<void>;
}

/** One worker runs in this thread, on the campaigns that were prepared here. */
export function experimentPool(prepared: PreparedCampaigns, workers: number): ExperimentPool {
  if (workers === 1)
    return {
      workers,
      run: async (source, number) => (await prepared.get(source)).campaign.run(number),
      close: async () => {},
    };
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
    run: (source, number) => pool.run({ source, number }),
    close: () => pool.destroy(),
  };
}

/** A worker thread runs built code, also where the command line runs from its sources. */
function workerFile(): string {
  return fileURLToPath(new URL('../../dist/inject/experimentWorker.js', import.meta.url));
}

const inThisThread = new PreparedCampaigns();

/** In a worker thread: prepares the campaign once, and runs one experiment of it. */
export async function runInWorker({ source, number }: WorkerTask): Promise<ExperimentRecord> {
  const { campaign } = await inThisThread.get(source);
  return campaign.run(number);
}
