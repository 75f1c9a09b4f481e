import {
  analyseSamples,
  boundOfRisk,
  empiricalLatency,
  exponentialLatency,
  intervalOfTarget,
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
  simulateRule,
  table1,
  weibullLatency,
} from '@rmk/model';
import type { Command } from 'commander';
import { RmkError } from '@rmk/core';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { corruptionText, table1Text, type CorruptionReport } from './corruptionText.js';
import { countOption, numberOption, pairOption, wholeOption } from './optionValues.js';
import { readText } from './files.js';

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
    const rows = table1();
    terminal.out(options.json === true ? `${JSON.stringify({ rows }, undefined, 2)}\n` : table1Text(rows));
    return;
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
  const report: CorruptionReport = {
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
  else terminal.out(corruptionText(report));
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
