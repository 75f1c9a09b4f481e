import type { ExperimentRecord, Journal } from '@rmk/campaign';

/** Runs the experiments of one campaign, several at a time. */
export interface ExperimentRunner {
  readonly workers: number;
  run(number: number): Promise<ExperimentRecord>;
}

/** Called after each experiment. */
export type OnRecord = (record: ExperimentRecord, done: number) => void;

/** Runs the experiments that the journal does not hold yet, until all are done or `signal` aborts. */
export async function runCampaign(
  runner: ExperimentRunner,
  journal: Journal | undefined,
  count: number,
  signal: AbortSignal,
  onRecord: OnRecord,
): Promise<readonly ExperimentRecord[]> {
  const records = new Map((journal?.records ?? []).map((record) => [record.number, record]));
  const missing = Array.from({ length: count }, (_, number) => number).filter(
    (number) => !records.has(number),
  );
  let next = 0;
  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      const number = missing[next++];
      if (number === undefined) return;
      const record = await runner.run(number);
      journal?.append(record);
      records.set(number, record);
      onRecord(record, records.size);
    }
  };
  await Promise.all(Array.from({ length: runner.workers }, worker));
  return [...records.values()]
    .filter(({ number }) => number < count)
    .toSorted((one, other) => one.number - other.number);
}
