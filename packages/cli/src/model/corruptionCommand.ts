import {
  analyseSamples,
  boundOfRisk,
  empiricalLatency,
  type Estimate,
  exponentialLatency,
  intervalOfTarget,
  type LadderOutcome,
  ladderOutcomes,
  type LatencyDistribution,
  type LatencySamples,
  logNormalLatency,
  parseLatencySamples,
  rateOfPercentile,
  retainedOfTarget,
  type RollbackRule,
  ruleCorruption,
  ruleRetained,
  type SampleAnalysis,
  significant,
  simulateRule,
  table1,
  weibullLatency,
} from '@rmk/model';
import type { Command } from 'commander';
import { RmkError } from '@rmk/core';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { countOption, numberOption, pairOption, wholeOption } from './optionValues.js';
import { readText } from './files.js';
import { formatTable, percent, type Table } from './table.js';

interface Options {
  readonly table1?: true;
  readonly rate?: number;
  readonly percentile?: number;
  readonly bound?: number;
  readonly weibull?: readonly [number, number];
  readonly lognormal?: readonly [number, number];
  readonly samples?: string;
  readonly interval: number;
  readonly retained?: number;
  readonly ruleBound?: number;
  readonly risk?: number;
  readonly ladder?: true;
  readonly rollback: number;
  readonly restart: number;
  readonly target?: number;
  readonly simulate?: number;
  readonly replications: number;
  readonly seed: number;
  readonly json?: true;
}

/** With so many samples the goodness of fit takes seconds. */
const SLOW = 2000;

function progressOf(terminal: Terminal): (share: number) => void {
  return (share) => terminal.err(`goodness of fit: ${Math.round(100 * share)} %\n`);
}

/** Adds `corruption` to the command of the models. */
export function addCorruptionCommand(
  parent: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  parent
    .command('corruption')
    .description('the probability that an error corrupts the checkpoint that a rollback needs (§4)')
    .option('--table1', "the paper's table 1, computed again")
    .option(
      '--percentile <p>',
      'share of the errors that are detected within --bound (default: 0.95)',
      numberOption,
    )
    .option('--bound <ms>', 'latency bound T_B of that share (default: 50)', numberOption)
    .option(
      '--rate <perMs>',
      'rate λ of an exponential latency, in place of --percentile and --bound',
      numberOption,
    )
    .option('--weibull <shape,scaleMs>', 'a Weibull latency', pairOption)
    .option(
      '--lognormal <mean,deviation>',
      'a log-normal latency, by mean and deviation of ln(ms)',
      pairOption,
    )
    .option(
      '--samples <file>',
      'measured latencies: one in ms a line, >250 where the experiment ended first, inf for never, a # header naming the definition',
    )
    .option('--interval <ms>', 'checkpoint interval T_ck', numberOption, 50)
    .option('--retained <k>', 'checkpoints retained, T_B being (k-1) T_ck (default: 2)', countOption)
    .option(
      '--rule-bound <ms>',
      'T_B of the rule: the target is the newest checkpoint that is at least so old',
      numberOption,
    )
    .option('--risk <probability>', 'T_B from the risk that is accepted', numberOption)
    .option('--ladder', 'also how often a recovery ends at each rung of the ladder')
    .option('--rollback <ms>', 'what a rollback takes, for --ladder', numberOption, 640)
    .option('--restart <ms>', 'what a restart takes, for --ladder', numberOption, 600_000)
    .option(
      '--target <probability>',
      'also the interval, and the history, with which the probability is at most this',
      numberOption,
    )
    .option('--simulate <trials>', 'also play so many errors on the timeline of figure 4', numberOption)
    .option('--replications <number>', 'samples drawn for the goodness of fit, 0 for none', wholeOption, 999)
    .option('--seed <seed>', 'seed of everything that is drawn', wholeOption, 1)
    .option('--json', 'for machines')
    .action((options: Options) => {
      run(options, terminal);
      done(ExitCode.DONE);
    });
}

function run(options: Options, terminal: Terminal): void {
  if (options.table1 === true) {
    refuseBesideTable1(options);
    return printTable1(options.json === true, terminal);
  }
  const samples =
    options.samples === undefined
      ? undefined
      : parseLatencySamples(readText(options.samples), options.samples);
  for (const warning of samples?.warnings ?? []) terminal.err(`warning: ${warning}\n`);
  const latency = latencyOf(options, samples);
  const rule = ruleOf(options, latency);
  const { seed, simulate, target } = options;
  const retained = options.retained ?? ruleRetained(rule);
  const report: Report = {
    latency: { name: latency.name, description: latency.description },
    ...rule,
    retained,
    probability: ruleCorruption(latency, rule),
    ...(target === undefined
      ? {}
      : {
          target: {
            probability: target,
            intervalMs: intervalOfTarget(latency, target, retained),
            retained: retainedOfTarget(latency, target, rule.intervalMs),
          },
        }),
    ...(simulate === undefined
      ? {}
      : {
          simulation: { ...simulateRule(latency, rule, { trials: simulate, seed }), trials: simulate, seed },
        }),
    ...(options.ladder === undefined
      ? {}
      : {
          ladder: ladderOutcomes(latency, {
            ...rule,
            retained,
            rollbackMs: options.rollback,
            restartMs: options.restart,
          }),
        }),
    ...(samples === undefined
      ? {}
      : {
          samples: {
            ...analyseSamples(samples.samples, rule, {
              seed,
              replications: options.replications,
              ...(samples.samples.length < SLOW ? {} : { progress: progressOf(terminal) }),
            }),
            file: options.samples,
            definition: samples.definition,
            warnings: samples.warnings,
          },
        }),
  };
  if (options.json === true) terminal.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else terminal.out(describe(report));
}

/** Table 1 has latencies and intervals of its own. */
function refuseBesideTable1(options: Options): void {
  const { percentile, bound, rate, weibull, lognormal, samples, retained, ruleBound, risk } = options;
  const others = {
    percentile,
    bound,
    rate,
    weibull,
    lognormal,
    samples,
    retained,
    'rule-bound': ruleBound,
    risk,
  };
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `--table1 computes the paper's own cases, so --${given[0]} has no effect on it: leave one of them out`,
  );
}

/** The rule that the options name: T_B itself, by a risk, or by the number of checkpoints. */
function ruleOf(options: Options, latency: LatencyDistribution): RollbackRule {
  const { interval: intervalMs, retained, ruleBound, risk } = options;
  if ([retained, ruleBound, risk].filter((each) => each !== undefined).length > 1) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      'give one of --retained, --rule-bound and --risk: each of them sets T_B',
    );
  }
  if (risk !== undefined) return { intervalMs, boundMs: boundOfRisk(latency, risk, intervalMs) };
  return { intervalMs, boundMs: ruleBound ?? ((retained ?? 2) - 1) * intervalMs };
}

function latencyOf(options: Options, samples: LatencySamples | undefined): LatencyDistribution {
  const { percentile, bound } = options;
  const given = [percentile ?? bound, options.rate, options.weibull, options.lognormal, samples].filter(
    (each) => each !== undefined,
  );
  if (given.length > 1) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      'give one latency only: --percentile and --bound, --rate, --weibull, --lognormal or --samples',
    );
  }
  if (samples !== undefined) return empiricalLatency(samples.samples);
  if (options.weibull !== undefined) return weibullLatency(...options.weibull);
  if (options.lognormal !== undefined) return logNormalLatency(...options.lognormal);
  return exponentialLatency(options.rate ?? rateOfPercentile(percentile ?? 0.95, bound ?? 50));
}

interface Report {
  readonly latency: { readonly name: string; readonly description: string };
  readonly intervalMs: number;
  readonly boundMs: number;
  readonly retained: number;
  readonly probability: number;
  readonly target?: {
    readonly probability: number;
    readonly intervalMs: number;
    readonly retained: number | undefined;
  };
  readonly simulation?: Estimate & { readonly trials: number; readonly seed: number };
  readonly ladder?: readonly LadderOutcome[];
  readonly samples?: SampleAnalysis &
    Pick<LatencySamples, 'definition' | 'warnings'> & { readonly file: string | undefined };
}

function describe(report: Report): string {
  const { latency, intervalMs, boundMs, retained, probability, target, simulation, ladder, samples } = report;
  const interval = ({ low, high, confidence }: Estimate) =>
    `${100 * confidence} %: ${percent(low)} to ${percent(high)}`;
  const lines = [
    `latency       ${latency.description}`,
    `checkpoints   every ${intervalMs} ms, ${retained} retained`,
    `target        the newest checkpoint that is at least T_B = ${significant(boundMs)} ms old`,
    `corrupted     ${percent(probability)}${samples === undefined ? '' : ` (${interval(samples.measured)})`}`,
  ];
  if (target !== undefined) {
    lines.push(
      `wanted        ${percent(target.probability)} from an interval of ${significant(target.intervalMs, 6)} ms with ${retained} retained, or with ${target.retained ?? 'no number'} retained at ${intervalMs} ms`,
    );
  }
  if (simulation !== undefined) {
    const inside = probability >= simulation.low && probability <= simulation.high;
    lines.push(
      `simulated     ${percent(simulation.value)} of ${simulation.trials} errors (${interval(simulation)}); the model lies ${inside ? 'inside' : 'outside, as 1 in 20 does: see whether it does with another --seed'}`,
    );
  }
  if (samples !== undefined) {
    const { count, detected, censored, neverDetected, ratePerMs, undetected } = samples;
    lines.push(
      `samples       ${count}: ${detected} detected, ${censored} cut off, ${neverDetected} never detected`,
    );
    if (ratePerMs !== undefined) {
      const { value, low, high } = ratePerMs;
      lines.push(
        `rate λ        ${significant(value)} per ms (95 %: ${significant(low)} to ${significant(high)}), if exponential`,
      );
    }
    if (undetected !== undefined && censored + neverDetected > 0) {
      lines.push(
        `undetected    ${percent(undetected.value)} (${interval(undetected)}), if ${undetected.family}`,
      );
    }
    lines.push('', formatTable(fitTable(samples)));
    lines.push(...samples.fits.flatMap(({ problem }) => (problem === undefined ? [] : [problem])));
  }
  if (ladder !== undefined) lines.push('', formatTable(ladderTable(ladder)));
  return `${lines.join('\n')}\n`;
}

function fitTable({ fits }: SampleAnalysis): Table {
  return {
    columns: ['fitted', 'parameters', 'undetected', 'corrupted', 'AIC', 'p (Anderson-Darling)'],
    rows: fits.map(({ family, parameters, undetected, probability, akaike, goodnessOfFit: fitness }) => [
      family,
      parameters === undefined
        ? '–'
        : Object.entries(parameters)
            .map(([name, value]) => `${name} ${significant(value)}`)
            .join(', '),
      undetected === undefined ? '–' : percent(undetected, 3),
      probability === undefined ? '–' : percent(probability),
      akaike === undefined ? '–' : akaike.toFixed(1),
      fitness === undefined ? '–' : significant(fitness.pValue, 3),
    ]),
  };
}

function ladderTable(ladder: readonly LadderOutcome[]): Table {
  return {
    columns: ['rung', 'rollbacks', 'probability', 'work lost, ms', 'time, ms'],
    rows: ladder.map(({ rung, attempts, probability, workLostMs, timeMs }) => [
      rung,
      String(attempts),
      percent(probability),
      workLostMs === undefined ? 'all' : significant(workLostMs),
      significant(timeMs),
    ]),
  };
}

function printTable1(json: boolean, terminal: Terminal): void {
  const rows = table1();
  if (json) {
    terminal.out(`${JSON.stringify({ rows }, undefined, 2)}\n`);
    return;
  }
  const cells = rows.map((row) => [
    `${significant(100 * row.percentile)} %`,
    String(row.intervalMs),
    `${significant(100 * row.single, 3)} %`,
    `${significant(100 * row.paper.single, 3)} %`,
    `${significant(100 * row.dual, 3)} %`,
    `${significant(100 * row.paper.dual, 3)} %`,
    row.exact.intervalMs.toFixed(2),
    percent(row.exact.single),
    percent(row.exact.dual),
  ]);
  const columns = [
    'percentile',
    'T_ck, ms',
    'single',
    'paper',
    'dual',
    'paper',
    'exact T_ck',
    'single',
    'dual',
  ];
  terminal.out(
    `${formatTable({ columns, rows: cells })}\nλ = 0.0599 per ms and T_ck rounded, as in the paper; its 39.1 % alone uses 38.44 ms. Exact: neither rounded.\n`,
  );
}
