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
  readonly pairs?: number;
  readonly stretch?: number;
  readonly quick?: true;
  readonly json?: true;
  readonly report?: string;
}

const ALL = Object.keys(WORKLOADS) as WorkloadName[];
const INTERVALS_MS = [50, 200, 600, 1000];
const QUICK_INTERVALS_MS = [50, 1000];
const PAIRS = 12;
const QUICK_PAIRS = 4;
const STRETCH_MS = 1000;
const QUICK_STRETCH_MS = 500;
const STORE_CHECK_ROUNDS = 3;

/** Adds `embedded` to `rmk bench`. */
export function addEmbeddedCommand(
  parent: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  parent
    .command('embedded')
    .description('the evaluation of §7 on the embedded hypervisor: what checkpoints cost, beside the paper')
    .option('--quick', 'the translator alone, times at 50 ms alone, few pairs: under three minutes')
    .addOption(
      new Option('--engine <engine>', 'one of the engines alone').choices(['interpreter', 'translator']),
    )
    .option('--programs <names>', 'some of the workloads, with commas', programsOf, ALL)
    .option('--intervals <ms>', 'checkpoint intervals, with commas (default: 50,200,600,1000)', intervalsOf)
    .option('--pairs <number>', 'pairs of stretches at the shortest interval (default: 12)', positive)
    .option(
      '--stretch <ms>',
      'guest time of the warm-up, and over which short epochs are counted',
      positive,
      1000,
    )
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .option('--report <file>', 'a page with all tables, in one HTML file')
    .action(async (options: Options) => {
      const { quick = false } = options;
      const stretch = options.stretch ?? (quick ? QUICK_STRETCH_MS : STRETCH_MS);
      const intervalsMs = options.intervals ?? (quick ? QUICK_INTERVALS_MS : INTERVALS_MS);
      const extent: Extent = {
        warmUpMs: stretch,
        countMs: stretch,
        countedEpochs: quick ? 2 : 3,
        pairs: options.pairs ?? (quick ? QUICK_PAIRS : PAIRS),
        timedMs: quick ? intervalsMs.slice(0, 1) : intervalsMs,
      };
      const both: readonly Engine[] = quick ? ['translator'] : ['translator', 'interpreter'];
      const result = await embeddedBenchmark(
        {
          engines: options.engine === undefined ? both : [options.engine],
          programs: options.programs,
          intervalsMs,
          extent,
          storeCheckRounds: quick ? 1 : STORE_CHECK_ROUNDS,
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
