import type { ExperimentRecord } from '../experiment/experimentRecord.js';
import { isEffective } from '../experiment/outcome.js';

/** The corruption latencies of a campaign, in the file that `rmk model corruption --samples` reads. */
export function latencySamples(records: readonly ExperimentRecord[]): string {
  const lines = records
    .filter(isEffective)
    .map(({ detection, watchedNs }) =>
      detection === undefined ? `>${ms(watchedNs)}` : ms(detection.latencyNs),
    );
  return [
    '# corruption latency, injection to detection, in ms; >x: watched for x ms and not detected',
    ...lines,
    '',
  ].join('\n');
}

function ms(ns: number): string {
  return String(ns / 1e6);
}
