/** An input that advice needs and was not given, with the command that measures it. */
export interface MissingInput {
  readonly input: 'slowdown' | 'latencies' | 'uncertainty of the slowdown' | 'rollback time';
  readonly command: string;
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
      command:
        'rmk bench embedded --json > bench.json (or rmk bench qemu --json), then --slowdown bench.json',
      meanwhile: 'no advice: there is nothing to weigh the availability with',
    });
  } else if (!given.bounds) {
    missing.push({
      input: 'uncertainty of the slowdown',
      command:
        'rmk bench embedded --json > bench.json, which gives low and high, or --slowdown 50=0.063:0.055:0.071',
      meanwhile: 'the slowdowns are taken as exact',
    });
  }
  if (!given.latencies) {
    missing.push({
      input: 'latencies',
      command: 'rmk inject, which writes a sample file of corruption latencies, then --samples FILE',
      meanwhile: 'the latency of the parameter set is taken as exact',
    });
  }
  if (!given.rollback) {
    missing.push({
      input: 'rollback time',
      command: 'rmk bench embedded --json or rmk inject, then "rollbackSeconds" in a --params file',
      meanwhile: "the parameter set's rollback time is taken",
    });
  }
  return missing;
}
