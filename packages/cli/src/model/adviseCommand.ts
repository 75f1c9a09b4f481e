import {
  type Advice,
  advise,
  type MissingInput,
  missingInputs,
  parseSlowdown,
  parseSlowdownText,
  significant,
  type SlowdownCurve,
} from '@rmk/model';
import type { Command } from 'commander';
import { RmkError } from '@rmk/core';
import { adviceReport } from './adviceReport.js';
import { curveTable, historyTable } from './adviceTables.js';
import { readSetting, type SettingOptions, type Sources } from './setting.js';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { collect, numberOption, wholeOption } from './optionValues.js';
import { readJson, writeText } from './files.js';
import { formatTable, percent } from './table.js';

interface Options extends SettingOptions {
  readonly slowdown?: string;
  readonly weight: number;
  readonly maxRetained: number;
  readonly maxLostWork?: number;
  readonly draws: number;
  readonly seed: number;
  readonly json?: true;
  readonly report?: string;
}

/** Adds `advise` to the command of the models. */
export function addAdviseCommand(parent: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  parent
    .command('advise')
    .description('the interval and the history that measured numbers speak for')
    .option(
      '--slowdown <file or numbers>',
      'JSON, or by hand: 50=0.063,200=0.038 (with bounds: 50=0.063:0.055:0.071)',
    )
    .option('--samples <file>', 'measured corruption latencies')
    .option('--set <name>', 'parameter set of the availability model')
    .option('--params <file>', 'JSON file with parameters on top of the set')
    .option('--param <name=value>', 'one parameter by hand; may be given several times', collect)
    .option(
      '--weight <w>',
      'how much a slowdown counts: 1 counts work done, 0 only availability',
      numberOption,
      1,
    )
    .option('--max-retained <k>', 'longest history to consider', numberOption, 8)
    .option('--max-lost-work <ms>', 'most work that a rollback may throw away: bounds k T_ck', numberOption)
    .option('--draws <n>', 'how often to redraw uncertain inputs', numberOption, 100)
    .option('--seed <seed>', 'seed of what is drawn', wholeOption, 1)
    .option('--json', 'for machines')
    .option('--report <file>', 'a page with the curves, in one HTML file')
    .action((options: Options) => {
      run(options, terminal);
      done(ExitCode.DONE);
    });
}

function run(options: Options, terminal: Terminal): void {
  const { setting, samples, sources, warnings, ownRollback } = readSetting(options);
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`);
  const slowdown = options.slowdown === undefined ? undefined : readSlowdown(options.slowdown);
  const missing = missingInputs({
    slowdown: slowdown !== undefined,
    latencies: samples !== undefined,
    bounds: slowdown?.some(({ low }) => low !== undefined) ?? false,
    rollback: ownRollback,
  });
  if (slowdown === undefined) {
    if (options.json === true) terminal.out(`${JSON.stringify({ missing }, undefined, 2)}\n`);
    throw new RmkError(
      'RMK_ERR_INPUT',
      'advice needs the slowdown at two intervals or more. Measure it, or give it with --slowdown',
      { problems: missing.map((one) => ({ path: '', message: sentence(one) })) },
    );
  }
  const advice = advise({
    parameters: setting.parameters,
    slowdown,
    weight: options.weight,
    maxRetained: options.maxRetained,
    draws: options.draws,
    seed: options.seed,
    ...(samples === undefined ? {} : { samples }),
    ...(options.maxLostWork === undefined ? {} : { maxLostWorkMs: options.maxLostWork }),
  });
  if (options.report !== undefined) {
    writeText(options.report, adviceReport(advice, slowdown, options.weight, missing));
    terminal.err(`wrote ${options.report}\n`);
  }
  if (options.json === true) {
    terminal.out(
      `${JSON.stringify(
        {
          parameters: setting.parameters,
          sources: { ...sources.numbers, latency: sources.latency },
          weight: options.weight,
          ...advice,
          missing,
        },
        undefined,
        2,
      )}\n`,
    );
  } else {
    terminal.out(describe(advice, options.weight, missing, sources));
  }
}

function readSlowdown(given: string): SlowdownCurve {
  return /^\s*[-+.\d][-+.\w]*\s*=/.test(given)
    ? parseSlowdownText(given)
    : parseSlowdown(readJson(given), given);
}

function checkpoints(retained: number): string {
  return retained === 1 ? '1 checkpoint' : `${retained} checkpoints`;
}

function sentence({ input, measure, meanwhile }: MissingInput): string {
  return `${input}: ${measure}. Until then ${meanwhile}`;
}

function describe(
  advice: Advice,
  weight: number,
  missing: readonly MissingInput[],
  sources: Sources,
): string {
  const { recommendation, uncertainty, notes } = advice;
  const { availability, utility, intervalMs } = uncertainty;
  const { corruption } = recommendation;
  const lines = [
    `interval       ${significant(recommendation.intervalMs)} ms (95 %: ${significant(intervalMs.low)} to ${significant(intervalMs.high)})`,
    `history        ${checkpoints(recommendation.retained)}, for a latency bound T_B of ${significant(recommendation.boundMs)} ms`,
    `availability   ${(100 * recommendation.availability).toFixed(4)} % (95 %: ${(100 * availability.low).toFixed(4)} to ${(100 * availability.high).toFixed(4)}), ${recommendation.downtimeMinutesPerYear.toFixed(1)} min a year down`,
    `latency        ${sources.latency}`,
    `corrupted      ${percent(corruption.value)} (95 %: ${percent(corruption.low)} to ${percent(corruption.high)})`,
    `slowdown       ${(100 * recommendation.slowdown).toFixed(2)} %`,
    `weighed        ${utility.value.toFixed(6)} (95 %: ${utility.low.toFixed(6)} to ${utility.high.toFixed(6)}) = availability / (1 + slowdown)^${weight}`,
    `uncertain      ${uncertainty.from.length === 0 ? 'no input has an uncertainty, so the intervals are points' : `${uncertainty.from.join(' and ')}, drawn ${uncertainty.draws} times`}`,
    '',
    'the best interval for each history:',
    formatTable(historyTable(advice)),
    '',
    `the curve for ${checkpoints(recommendation.retained)}:`,
    formatTable(curveTable(advice)),
  ];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `note: ${note}`));
  if (missing.length > 0) lines.push('', 'not measured:', ...missing.map((each) => `  ${sentence(each)}`));
  return `${lines.join('\n')}\n`;
}
