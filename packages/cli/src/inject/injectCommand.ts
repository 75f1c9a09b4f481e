import { availableParallelism } from 'node:os';
import { extname, resolve } from 'node:path';
import { isFailureOfRmk, Journal, latencySamples } from '@rmk/campaign';
import { Command, InvalidArgumentError } from 'commander';
import { ExitCode } from '../exitCode.js';
import { Interruption } from '../run/interruption.js';
import { StatusLine } from '../run/statusLine.js';
import type { Terminal } from '../terminal.js';
import { checkWritable, writeText } from '../model/files.js';
import { runCampaign } from './campaignRun.js';
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
    .option('--samples <file>', 'write the latencies for rmk model corruption --samples')
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
  const { experiment, digest } = await campaigns.get({ file });
  const { count, seed } = experiment;
  if (options.samples !== undefined) checkWritable(options.samples);
  const path = journalPath(file, options);
  const campaign = { digest, seed, experiment: file };
  const pool = experimentPool(campaigns, options.workers);
  const runner = { workers: pool.workers, run: (number: number) => pool.run({ file }, number) };
  try {
    const journal = path === undefined ? undefined : Journal.open(path, campaign);
    reportResumed(terminal, path, journal, count);
    const interruption = new Interruption({ leftBehind: [] }, terminal);
    const progress = new Progress(new StatusLine(terminal), count, journal?.records.length ?? 0);
    const records = await runCampaign(runner, journal, count, interruption.signal, (_, finished) =>
      progress.at(finished),
    ).finally(() => {
      interruption.release();
      progress.end();
      journal?.close();
    });
    if (options.samples !== undefined) writeText(options.samples, latencySamples(records));
    terminal.out(options.json === true ? injectJson(records, count) : injectText(records));
    const failures = records.filter(isFailureOfRmk);
    for (const { number, outcome } of failures)
      terminal.err(`experiment ${number}: ${outcome}. ${seeWith(path, number)}
`);
    if (records.length < count)
      terminal.err(
        `interrupted after ${records.length} of ${count} experiments. Run the command again to resume.\n`,
      );
    return failures.length > 0 || records.length < count ? ExitCode.FAILED : ExitCode.DONE;
  } finally {
    await pool.close();
  }
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
  const { cutBytes, records } = journal;
  if (cutBytes > 0)
    terminal.err(`${path}: the torn last line (${cutBytes} bytes) was cut; its experiment runs again.\n`);
  if (records.length > 0) terminal.err(`${path}: resumes after ${records.length} of ${count} experiments.\n`);
}

function seeWith(path: string | undefined, number: number): string {
  return path === undefined
    ? 'Keep a journal to replay it.'
    : `See it with: rmk inject replay ${path} ${number}`;
}
