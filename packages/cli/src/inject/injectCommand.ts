import { availableParallelism } from 'node:os';
import { basename, extname, resolve } from 'node:path';
import { isFailureOfRmk, Journal, latencySamples, marginOf, type ExperimentRecord } from '@rmk/campaign';
import { Command, InvalidArgumentError } from 'commander';
import { ExitCode } from '../exitCode.js';
import { Interruption } from '../run/interruption.js';
import { StatusLine } from '../run/statusLine.js';
import type { Terminal } from '../terminal.js';
import { checkWritable, writeText } from '../model/files.js';
import { campaignReport } from './campaignReport.js';
import { journalled, runCampaign } from './campaignRun.js';
import { mostFor } from './experimentFile.js';
import { experimentPool } from './experimentPool.js';
import { injectJson, injectText } from './injectReport.js';
import { PreparedCampaigns } from './preparedCampaigns.js';
import { Progress } from './progress.js';
import { replayCommand } from './replayCommand.js';
import { table5Command } from './table5Command.js';
import { whyCommand } from './whyCommand.js';

interface Options {
  /** `false`: none is kept. */
  readonly journal?: string | false;
  readonly workers: number;
  readonly json?: true;
  readonly samples?: string;
  readonly report?: string;
  readonly margin?: number;
}

/** `rmk inject`: runs a fault injection campaign on the embedded hypervisor. */
export function injectCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('inject')
    .description('inject the faults that an experiment file describes, and report what became of the guest')
    .argument('<experiment>', 'in TypeScript, JavaScript or JSON')
    .option(
      '--journal <file>',
      'one line an experiment; a campaign resumes from it (default: beside the experiment)',
    )
    .option('--no-journal', 'keep none')
    .option('--workers <n>', 'worker threads', workersOf, availableParallelism())
    .option(
      '--margin <share>',
      'end when recovered of detected is known to ± this, with 95 % confidence, such as 0.01',
      marginOption,
    )
    .option('--samples <file>', 'write the latencies for rmk model corruption --samples')
    .option('--report <file>', 'a page with tables and figures, in one HTML file')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: Options) => {
      done(await inject(resolve(file), options, terminal));
    })
    .addCommand(replayCommand(terminal, done))
    .addCommand(whyCommand(terminal, done))
    .addCommand(table5Command(terminal, done));
}

async function inject(file: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const campaigns = new PreparedCampaigns();
  // The golden run and the faults are checked here in any case, before anything is written.
  const { experiment, digest, ...planned } = await campaigns.get({ file });
  const { seed } = experiment;
  const { margin = planned.margin } = options;
  const count =
    options.margin === undefined ? experiment.count : (planned.givenCount ?? mostFor(options.margin));
  for (const output of [options.samples, options.report]) if (output !== undefined) checkWritable(output);
  const path = journalPath(file, options);
  const campaign = { digest, seed, experiment: file };
  const pool = experimentPool(campaigns, options.workers);
  const runner = { workers: pool.workers, run: (number: number) => pool.run({ file }, number) };
  try {
    const journal = path === undefined ? undefined : Journal.open(path, campaign);
    reportResumed(terminal, path, journal, count);
    const interruption = new Interruption({ leftBehind: [] }, terminal);
    const progress = new Progress(new StatusLine(terminal), count, journalled(journal, count).length);
    const { records, isInterrupted } = await runCampaign(runner, journal, {
      count,
      signal: interruption.signal,
      onRecord: (_, finished) => progress.at(finished),
      ...(margin === undefined ? {} : { isEnough: (done) => (marginOf(done) ?? Infinity) <= margin }),
    }).finally(() => {
      interruption.release();
      progress.end();
      journal?.close();
    });
    if (options.samples !== undefined) writeText(options.samples, latencySamples(records));
    if (options.report !== undefined)
      writeText(options.report, campaignReport(basename(file), records, count));
    terminal.out(options.json === true ? injectJson(records, count) : injectText(records));
    const failures = records.filter(isFailureOfRmk);
    for (const { number, outcome } of failures)
      terminal.err(`experiment ${number}: ${outcome}. ${seeWith(path, number)}
`);
    if (margin !== undefined && !isInterrupted) reportMargin(terminal, margin, records);
    if (isInterrupted)
      terminal.err(
        `interrupted after ${records.length} of ${count} experiments. Run the command again to resume.\n`,
      );
    return failures.length > 0 || isInterrupted ? ExitCode.FAILED : ExitCode.DONE;
  } finally {
    await pool.close();
  }
}

/** Whether the campaign came as far as was asked, and how far. */
function reportMargin(terminal: Terminal, margin: number, records: readonly ExperimentRecord[]): void {
  const reached = marginOf(records);
  if (reached !== undefined && reached <= margin) return;
  const known = reached === undefined ? 'nothing was detected' : `it is known to ± ${reached.toFixed(4)}`;
  terminal.err(
    `recovered of detected is not known to ± ${margin} after ${records.length} experiments: ${known}. ` +
      'Give a larger count, or faults that are detected more often.\n',
  );
}

function marginOption(text: string): number {
  const margin = Number(text);
  if (margin > 0 && margin < 0.5) return margin;
  throw new InvalidArgumentError('Give a number above 0 and below 0.5.');
}

function workersOf(text: string): number {
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 256) return workers;
  throw new InvalidArgumentError('Give a whole number from 1 to 256.');
}

/** Undefined where none is kept. */
function journalPath(file: string, { journal }: Options): string | undefined {
  if (journal === false) return undefined;
  // Without the option, commander gives true for one that can be negated.
  if (typeof journal === 'string') return journal;
  return `${file.slice(0, file.length - extname(file).length)}.journal.jsonl`;
}

function reportResumed(
  terminal: Terminal,
  path: string | undefined,
  journal: Journal | undefined,
  count: number,
): void {
  if (path === undefined || journal === undefined) return;
  const { cutBytes } = journal;
  const resumed = journalled(journal, count).length;
  if (cutBytes > 0)
    terminal.err(`${path}: the torn last line (${cutBytes} bytes) was cut; its experiment runs again.\n`);
  if (resumed > 0) terminal.err(`${path}: resumes after ${resumed} of ${count} experiments.\n`);
}

function seeWith(path: string | undefined, number: number): string {
  return path === undefined
    ? 'Keep a journal to replay it.'
    : `See it with: rmk inject replay ${path} ${number}`;
}
