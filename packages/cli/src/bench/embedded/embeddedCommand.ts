import { WORKLOADS, type WorkloadName } from '@rmk/guests';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ExitCode } from '../../exitCode.js';
import { writeText } from '../../model/files.js';
import type { Terminal } from '../../terminal.js';
import { embeddedBenchmark } from './embeddedBenchmark.js';
import { embeddedJson } from './embeddedJson.js';
import { embeddedReport } from './embeddedReport.js';
import { embeddedText } from './embeddedText.js';
import type { Extent } from './programRun.js';
import type { Engine } from './testedGuest.js';

interface Options {
  readonly engine?: Engine;
  readonly programs: readonly WorkloadName[];
  readonly intervals?: readonly number[];
  readonly rounds?: number;
  readonly stretch: number;
  readonly quick?: true;
  readonly json?: true;
  readonly report?: string;
}

const ALL = Object.keys(WORKLOADS) as WorkloadName[];
const INTERVALS_MS = [50, 200, 600, 1000];
const QUICK_INTERVALS_MS = [50, 1000];

/** Adds `embedded` to `rmk bench`. */
export function addEmbeddedCommand(
  parent: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  parent
    .command('embedded')
    .description('the evaluation of §7 on the embedded hypervisor: what checkpoints cost, beside the paper')
    .option('--quick', 'two intervals, the translator alone, one round: under three minutes')
    .addOption(
      new Option('--engine <engine>', 'one of the engines alone').choices(['interpreter', 'translator']),
    )
    .option('--programs <names>', 'some of the workloads, with commas', programsOf, ALL)
    .option('--intervals <ms>', 'checkpoint intervals, with commas (default: 50,200,600,1000)', intervalsOf)
    .option('--rounds <number>', 'rounds, each with new guests (default: 3)', positive)
    .option('--stretch <ms>', 'guest time of a stretch, and of the warm-up', positive, 1000)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .option('--report <file>', 'a page with all tables, in one HTML file')
    .action(async (options: Options) => {
      const { quick = false, stretch } = options;
      const extent: Extent = {
        rounds: options.rounds ?? (quick ? 1 : 3),
        warmUpMs: stretch,
        chunkMs: stretch,
        chunks: quick ? 1 : 2,
      };
      const both: readonly Engine[] = quick ? ['translator'] : ['translator', 'interpreter'];
      const result = await embeddedBenchmark(
        {
          engines: options.engine === undefined ? both : [options.engine],
          programs: options.programs,
          intervalsMs: options.intervals ?? (quick ? QUICK_INTERVALS_MS : INTERVALS_MS),
          extent,
          qemu: !quick,
        },
        (what) => terminal.err(`${what} …\n`),
      );
      if (options.report !== undefined) {
        writeText(options.report, embeddedReport(result));
        terminal.err(`wrote ${options.report}\n`);
      }
      terminal.out(options.json === true ? embeddedJson(result) : embeddedText(result));
      done(ExitCode.DONE);
    });
}

function programsOf(text: string): readonly WorkloadName[] {
  return text.split(',').map((name) => {
    const known = ALL.find((one) => one === name);
    if (known !== undefined) return known;
    throw new InvalidArgumentError(
      `unknown workload ${JSON.stringify(name)}. Choose among ${ALL.join(', ')}.`,
    );
  });
}

function intervalsOf(text: string): readonly number[] {
  const intervals = text.split(',').map(positive);
  if (new Set(intervals).size < intervals.length)
    throw new InvalidArgumentError('an interval is given twice');
  return intervals.toSorted((one, other) => one - other);
}

function positive(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}
