import Table from 'cli-table3';
import { isEffective, isFailureOfRmk, type ExperimentRecord } from '@rmk/campaign';
import { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import { countOption } from '../model/optionValues.js';
import { Interruption } from '../run/interruption.js';
import { StatusLine } from '../run/statusLine.js';
import type { Terminal } from '../terminal.js';
import { runCampaign } from './campaignRun.js';
import { experimentPool, type ExperimentPool } from './experimentPool.js';
import { PreparedCampaigns } from './preparedCampaigns.js';
import { Progress } from './progress.js';
import { TABLE5, type Table5Row } from './table5.js';

interface Options {
  readonly json?: true;
  readonly faults?: number;
  /** Of `rmk inject`. */
  readonly workers: number;
}

/** `rmk inject table5`: the paper's error injection experiments on the embedded hypervisor. */
export function table5Command(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('table5')
    .description('repeat table 5 of the paper: signals, register flips and hangs in the guest tasks')
    .option('--faults <n>', 'only the first n of each row (default: as many as the paper)', countOption)
    .option('--json', 'print the rows as JSON')
    .action(async (_: object, command: Command) => {
      // rmk inject has some of the same options, and takes them for its own.
      done(await table5(command.optsWithGlobals<Options>(), terminal));
    });
}

async function table5({ json, faults, workers }: Options, terminal: Terminal): Promise<ExitCode> {
  const pool = experimentPool(new PreparedCampaigns(), workers);
  const interruption = new Interruption({ leftBehind: [] }, terminal);
  try {
    const rows: RowResult[] = [];
    for (const [index, row] of TABLE5.entries()) {
      const count = Math.min(faults ?? Infinity, row.paper.injected);
      const records = await recordsOf(pool, index, count, interruption.signal, terminal);
      rows.push({ row, records, isWhole: records.length === count });
    }
    const result = rows.map(({ row, records }) => ({
      experiment: row.experiment,
      ...countsOf(records),
      paper: row.paper,
    }));
    terminal.out(json === true ? `${JSON.stringify({ rows: result }, undefined, 2)}\n` : tableOf(result));
    const isGood = rows.every(({ records, isWhole }) => isWhole && !records.some(isFailureOfRmk));
    return isGood ? ExitCode.DONE : ExitCode.FAILED;
  } finally {
    interruption.release();
    await pool.close();
  }
}

interface RowResult {
  readonly row: Table5Row;
  readonly records: readonly ExperimentRecord[];
  /** Whether it was not interrupted. */
  readonly isWhole: boolean;
}

async function recordsOf(
  pool: ExperimentPool,
  row: number,
  count: number,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<readonly ExperimentRecord[]> {
  const progress = new Progress(new StatusLine(terminal), count, 0);
  const run = (number: number): Promise<ExperimentRecord> => pool.run({ table5: row }, number);
  const { records } = await runCampaign({ run, workers: pool.workers }, undefined, {
    count,
    signal,
    onRecord: (_, finished) => progress.at(finished),
  }).finally(() => progress.end());
  return records;
}

interface Counts {
  readonly injected: number;
  readonly activatedAndDetected: number;
  readonly recovered: number;
  readonly restarted: number;
}

function countsOf(records: readonly ExperimentRecord[]): Counts {
  const detected = records.filter((record) => record.detections > 0 && isEffective(record));
  return {
    injected: records.length,
    activatedAndDetected: detected.length,
    // As the paper counts them: what left the guest before the detection was not looked at.
    recovered: detected.filter(({ outcome }) => outcome.startsWith('recovered')).length,
    restarted: detected.filter(({ outcome }) => outcome === 'restarted').length,
  };
}

function tableOf(
  rows: readonly (Counts & { readonly experiment: string; readonly paper: Table5Row['paper'] })[],
): string {
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['experiment', 'injected', 'activated and detected', 'recovered', 'restarted', 'paper'],
  });
  for (const { experiment, injected, activatedAndDetected, recovered, restarted, paper } of rows) {
    const inPaper = `${paper.injected}, ${paper.activatedAndDetected}, ${paper.recovered}`;
    table.push([experiment, injected, activatedAndDetected, recovered, restarted, inPaper]);
  }
  return `${table.toString()}\n`;
}
