import type { ExperimentRecord, Journal } from '@rmk/campaign';

/** Runs the experiments of one campaign, several at a time. */
export interface ExperimentRunner {
  readonly workers: number;
  run(number: number): Promise<ExperimentRecord>;
}

export interface CampaignOptions {
  /** The most experiments. */
  readonly count: number;
  readonly signal: AbortSignal;
  /** Called after each experiment. */
  readonly onRecord: (record: ExperimentRecord, done: number) => void;
  /** Asked after each batch of experiments, of all up to there. True ends the campaign. */
  readonly isEnough?: (records: readonly ExperimentRecord[]) => boolean;
}

export interface CampaignResult {
  /** In the order of their numbers. */
  readonly records: readonly ExperimentRecord[];
  readonly isInterrupted: boolean;
}

/** A campaign may end early at multiples of it: the end depends neither on workers nor on interruptions. */
const BATCH = 100;

/** Of the `count` experiments, those that the journal holds. It may be of a campaign that was to be longer. */
export function journalled(journal: Journal | undefined, count: number): readonly ExperimentRecord[] {
  return journal?.records.filter(({ number }) => number < count) ?? [];
}

/** Runs the experiments that the journal does not hold yet, until all are done, or enough, or `signal` aborts. */
export async function runCampaign(
  runner: ExperimentRunner,
  journal: Journal | undefined,
  { count, signal, onRecord, isEnough }: CampaignOptions,
): Promise<CampaignResult> {
  const records = new Map(journalled(journal, count).map((record) => [record.number, record]));
  const done: ExperimentRecord[] = [];
  const batch = isEnough === undefined ? count : BATCH;
  for (let from = 0; from < count; from += batch) {
    const end = Math.min(from + batch, count);
    let next = from;
    const worker = async (): Promise<void> => {
      while (!signal.aborted) {
        while (next < end && records.has(next)) next++;
        if (next >= end) return;
        const record = await runner.run(next++);
        journal?.append(record);
        records.set(record.number, record);
        onRecord(record, records.size);
      }
    };
    await Promise.all(Array.from({ length: runner.workers }, worker));
    for (let number = from; number < end; number++) {
      const record = records.get(number);
      if (record !== undefined) done.push(record);
    }
    if (done.length < end) return { records: done, isInterrupted: true };
    if (isEnough?.(done) === true) break;
  }
  return { records: done, isInterrupted: false };
}
