import type { Command } from 'commander';
import { type Advice, advise } from '../advice/advise.js';
import { type MissingInput, missingInputs } from '../advice/missingInput.js';
import { parseSlowdown, parseSlowdownText, type SlowdownCurve } from '../advice/slowdown.js';
import { ModelError } from '../errors.js';
import { adviceReport } from '../report/adviceReport.js';
import { significant } from '../numerics/significant.js';
import { act, collect, type CommandIo, numberOption, readJson, writeText } from './commandIo.js';
import { readSetting, type SettingOptions } from './setting.js';
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
export function addAdviseCommand(parent: Command, io: CommandIo): void {
  parent
    .command('advise')
    .description('the interval and the history that measured numbers speak for')
    .option(
      '--slowdown <file or numbers>',
      'JSON of rmk bench, or by hand: 50=0.063,200=0.038 (with bounds: 50=0.063:0.055:0.071)',
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
    .option('--draws <n>', 'times that uncertain inputs are drawn anew', numberOption, 100)
    .option('--seed <seed>', 'seed of what is drawn', numberOption, 1)
    .option('--json', 'for machines')
    .option('--report <file>', 'a page with the curves, in one HTML file')
    .action((options: Options) => act(io, () => run(options, io)));
}

async function run(options: Options, io: CommandIo): Promise<void> {
  const { setting, latenciesMs, warnings, ownRollback } = await readSetting(options);
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  const slowdown = options.slowdown === undefined ? undefined : await readSlowdown(options.slowdown);
  const missing = missingInputs({
    slowdown: slowdown !== undefined,
    latencies: latenciesMs !== undefined,
    bounds: slowdown?.some(({ low }) => low !== undefined) ?? false,
    rollback: ownRollback,
  });
  if (slowdown === undefined) {
    if (options.json === true) io.stdout(`${JSON.stringify({ missing }, undefined, 2)}\n`);
    throw new ModelError(
      'RMK_ERR_MISSING',
      'advice needs the slowdown at two intervals or more',
      missing.map(sentence),
    );
  }
  const advice = advise({
    parameters: setting.parameters,
    slowdown,
    weight: options.weight,
    maxRetained: options.maxRetained,
    draws: options.draws,
    seed: options.seed,
    ...(latenciesMs === undefined ? {} : { latenciesMs }),
    ...(options.maxLostWork === undefined ? {} : { maxLostWorkMs: options.maxLostWork }),
  });
  if (options.report !== undefined) {
    await writeText(options.report, adviceReport(advice, slowdown, options.weight, missing));
    io.stderr(`wrote ${options.report}\n`);
  }
  if (options.json === true) {
    io.stdout(
      `${JSON.stringify({ parameters: setting.parameters, weight: options.weight, ...advice, missing }, undefined, 2)}\n`,
    );
  } else {
    io.stdout(describe(advice, options.weight, missing));
  }
}

async function readSlowdown(given: string): Promise<SlowdownCurve> {
  return /^\s*[-+.\d][-+.\w]*\s*=/.test(given)
    ? parseSlowdownText(given)
    : parseSlowdown(await readJson(given), given);
}

function checkpoints(retained: number): string {
  return retained === 1 ? '1 checkpoint' : `${retained} checkpoints`;
}

function sentence({ input, command, meanwhile }: MissingInput): string {
  return `${input}: measure with ${command}; until then ${meanwhile}`;
}

function describe(advice: Advice, weight: number, missing: readonly MissingInput[]): string {
  const { recommendation, histories, uncertainty, curve, notes } = advice;
  const { availability, utility, intervalMs } = uncertainty;
  const { corruption } = recommendation;
  const lines = [
    `interval       ${significant(recommendation.intervalMs)} ms (95 %: ${significant(intervalMs.low)} to ${significant(intervalMs.high)})`,
    `history        ${checkpoints(recommendation.retained)}`,
    `availability   ${(100 * recommendation.availability).toFixed(4)} % (95 %: ${(100 * availability.low).toFixed(4)} to ${(100 * availability.high).toFixed(4)}), ${recommendation.downtimeMinutesPerYear.toFixed(1)} min a year down`,
    `corrupted      ${percent(corruption.value)} (95 %: ${percent(corruption.low)} to ${percent(corruption.high)})`,
    `slowdown       ${(100 * recommendation.slowdown).toFixed(2)} %`,
    `weighed        ${utility.value.toFixed(6)} (95 %: ${utility.low.toFixed(6)} to ${utility.high.toFixed(6)}) = availability / (1 + slowdown)^${weight}`,
    `uncertain      ${uncertainty.from.length === 0 ? 'no input has an uncertainty, so the intervals are points' : `${uncertainty.from.join(' and ')}, drawn ${uncertainty.draws} times`}`,
    '',
    'the best interval for each history:',
    formatTable(
      ['retained', 'interval, ms', 'availability', 'slowdown', 'weighed'],
      histories.map((choice) => [
        String(choice.retained),
        significant(choice.intervalMs),
        `${(100 * choice.availability).toFixed(4)} %`,
        `${(100 * choice.slowdown).toFixed(2)} %`,
        choice.utility.toFixed(6),
      ]),
    ),
    '',
    `the curve for ${checkpoints(recommendation.retained)}:`,
    formatTable(
      ['interval, ms', 'availability', 'slowdown', 'weighed', '95 % from', 'to'],
      curve
        .filter((_, index) => index % Math.ceil(curve.length / 12) === 0 || index === curve.length - 1)
        .map((point) => [
          significant(point.intervalMs),
          `${(100 * point.availability).toFixed(4)} %`,
          `${(100 * point.slowdown).toFixed(2)} %`,
          point.utility.toFixed(6),
          point.low.toFixed(6),
          point.high.toFixed(6),
        ]),
    ),
  ];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `note: ${note}`));
  if (missing.length > 0) lines.push('', 'not measured:', ...missing.map((each) => `  ${sentence(each)}`));
  return `${lines.join('\n')}\n`;
}
