/** An input that advice needs and was not given, and how to measure it. */
export interface MissingInput {
  readonly input: 'slowdown' | 'latencies' | 'uncertainty of the slowdown' | 'rollback time';
  /** How to measure it, and the option that takes it. */
  readonly measure: string;
  readonly meanwhile: string;
}

/** What has not been measured yet. */
export function missingInputs(given: {
  readonly slowdown: boolean;
  readonly latencies: boolean;
  readonly bounds: boolean;
  readonly rollback: boolean;
}): readonly MissingInput[] {
  const missing: MissingInput[] = [];
  if (!given.slowdown) {
    missing.push({
      input: 'slowdown',
      measure:
        'time the programs without checkpoints and with them at two intervals or more, then --slowdown 50=0.063,200=0.038',
      meanwhile: 'no advice: there is nothing to weigh the availability with',
    });
  } else if (!given.bounds) {
    missing.push({
      input: 'uncertainty of the slowdown',
      measure: 'time them several times, then --slowdown 50=0.063:0.055:0.071',
      meanwhile: 'the slowdowns are taken as exact',
    });
  }
  if (!given.latencies) {
    missing.push({
      input: 'latencies',
      measure: 'inject errors and write the time from each to its detection into a file, then --samples FILE',
      meanwhile: 'the latency of the parameter set is taken as exact',
    });
  }
  if (!given.rollback) {
    missing.push({
      input: 'rollback time',
      measure:
        'take the host times in the records of EVT_RECOVERED, then "rollbackSeconds" in a --params file',
      meanwhile: "the parameter set's rollback time is taken",
    });
  }
  return missing;
}
