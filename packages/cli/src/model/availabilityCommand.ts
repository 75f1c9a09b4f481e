import {
  availabilityOf,
  chainOf,
  definitionOf,
  toPrism,
  valuesOf,
  classCorruption,
  empiricalLatency,
  type ErrorClass,
  errorClasses,
  type Estimate,
  type LatencySample,
  numbersUsedBy,
  onlyVariantOf,
  PARAMETER_SETS,
  type Parameters,
  parseSweep,
  requireVariant,
  retainedOf,
  runSweep,
  sampleRuleCorruption,
  type Setting,
  significant,
  simulateChain,
  simulateSystem,
  solveVariant,
  steadyState,
  type Sweep,
  systemOf,
  tornado,
  transient,
  unavailabilityOf,
  type Variant,
  VARIANT_NAMES,
  type VariantResult,
} from '@rmk/model';
import type { Command } from 'commander';
import { RmkError } from '@rmk/core';
import { availabilityReport } from './availabilityReport.js';
import { readSetting, type SettingOptions } from './setting.js';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { collect, numberOption, timesOption, wholeOption } from './optionValues.js';
import { writeText } from './files.js';
import { studyText, type Simulated } from './studyText.js';

interface Options extends SettingOptions {
  readonly variants?: string;
  readonly sweep?: readonly string[];
  readonly at?: readonly number[];
  readonly prism?: string;
  readonly simulate?: number;
  readonly seed: number;
  readonly json?: true;
  readonly report?: string;
}

/** Beyond this the probabilities of the single states are left out of the JSON. */
const MAX_LISTED_STATES = 100;

/** Adds `availability` to the command of the models. */
export function addAvailabilityCommand(
  parent: Command,
  terminal: Terminal,
  done: (code: ExitCode) => void,
): void {
  parent
    .command('availability')
    .description('the availability of a protected VM, with and without checkpoints (§5)')
    .option('--set <name>', `parameter set: ${Object.keys(PARAMETER_SETS).join(', ')}`)
    .option('--params <file>', 'JSON file with parameters on top of the set')
    .option('--param <name=value>', 'one parameter by hand; may be given several times', collect)
    .option('--samples <file>', 'measured corruption latencies, for pc and its interval')
    .option('--variants <names>', `which of ${VARIANT_NAMES.join(',')}`)
    .option(
      '--sweep <name=from:to:steps>',
      'availability against a parameter (end in :log for equal ratios); several times',
      collect,
    )
    .option(
      '--at <hours>',
      'also the availability at these times after a start with all up: 0.1,1,10',
      timesOption,
    )
    .option('--prism <file>', "write the chain of the main variant, figure 5, in PRISM's language")
    .option('--simulate <cycles>', 'also a simulation of so many cycles from all up to all up', numberOption)
    .option('--seed <seed>', 'seed of everything that is drawn', wholeOption, 1)
    .option('--json', 'for machines')
    .option('--report <file>', 'a page with the figures of §5.1, in one HTML file')
    .action((options: Options) => {
      run(options, terminal);
      done(ExitCode.DONE);
    });
}

function run(options: Options, terminal: Terminal): void {
  const { setting, samples, sources, warnings } = readSetting(options);
  for (const warning of warnings) terminal.err(`warning: ${warning}\n`);
  const sweeps = (options.sweep ?? []).map(parseSweep);
  const variants = variantsOf(options, setting.parameters, sweeps);
  const times = options.at ?? [];
  const results = variants.map((variant) => solveVariant(variant, setting));
  const intervals = new Map(
    variants.map((variant) => [variant, corruptionInterval(variant, setting, samples)] as const),
  );
  // The mean share of n VMs depends on the inputs as one VM does, and one is solved far sooner.
  const main = variants.includes('dual') ? 'dual' : (variants.find((variant) => variant !== 'vms') ?? 'dual');
  const corruption = corruptionInterval(main, setting, samples);
  const bars = tornado(main, setting, corruption === undefined ? {} : { corruption });
  const notes = notesOn(setting, results);
  const swept = sweeps.map((sweep) => runSweep(sweep, setting, variants));
  const simulated = options.simulate;
  const used = numbersUsedBy(variants, setting);
  const { title, classes, rollbackScope } = setting.parameters;
  const report = {
    parameters: {
      title,
      ...Object.fromEntries(used.map((name) => [name, setting.parameters[name]])),
      ...(used.includes('rollbackSeconds') ? { rollbackScope } : {}),
      ...(classes === undefined ? {} : { classes }),
    },
    sources: {
      ...Object.fromEntries(used.map((name) => [name, sources.numbers[name]])),
      latency: sources.latency,
    },
    notes,
    results: results.map((result) => {
      const pc = intervals.get(result.variant);
      const { probabilities, ...rest } = result;
      return {
        ...rest,
        ...(result.states > MAX_LISTED_STATES ? {} : { probabilities }),
        ...(pc === undefined
          ? {}
          : { corruption: pc, availabilityInterval: propagated(result, setting, pc) }),
        ...(times.length === 0 ? {} : { transient: transients(result.variant, setting, times) }),
        ...(simulated === undefined
          ? {}
          : { simulated: simulate(result.variant, setting, simulated, options.seed) }),
      };
    }),
    sweeps: swept,
    tornado: bars,
  };
  if (options.report !== undefined) {
    const page = availabilityReport({
      setting,
      sources,
      results,
      tornado: bars,
      corruption,
      swept,
      variants,
      notes,
    });
    writeText(options.report, page);
    terminal.err(`wrote ${options.report}\n`);
  }
  if (options.prism !== undefined) {
    writeText(options.prism, toPrism(definitionOf(main, setting.parameters), valuesOf(main, setting)));
    terminal.err(`wrote ${options.prism}: ${main}\n`);
  }
  if (options.json === true) terminal.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else terminal.out(studyText(report, setting, sources, variants));
}

function variantsOf(
  { variants }: Options,
  parameters: Parameters,
  sweeps: readonly Sweep[],
): readonly Variant[] {
  if (variants !== undefined)
    return [...new Set(variants.split(',').map((name) => requireVariant(name.trim())))];
  const swept = sweeps.map(({ parameter }) => onlyVariantOf(parameter));
  const { classes, intervalMs, latencyBoundMs } = parameters;
  const bounded = classes?.some(({ boundMs }) => boundMs !== undefined) ?? false;
  const rule: readonly Variant[] = bounded || intervalMs !== latencyBoundMs ? ['rule'] : [];
  const history: readonly Variant[] = parameters.retained > 2 || swept.includes('k') ? ['k'] : [];
  const several: readonly Variant[] = parameters.vms > 1 || swept.includes('vms') ? ['vms'] : [];
  return ['none', 'single', 'dual', ...rule, ...history, 'replica', 'disk', ...several];
}

/** pc's interval, from the samples, or from the parameters if these state it for this history. */
function corruptionInterval(
  variant: Variant,
  { parameters }: Setting,
  samples: readonly LatencySample[] | undefined,
): Estimate | undefined {
  if (variant === 'none') return undefined;
  const retained = retainedOf(variant, parameters);
  if (samples !== undefined) {
    const [{ boundMs }] = errorClasses(variant, { parameters, latency: empiricalLatency(samples) }) as [
      ErrorClass,
    ];
    return sampleRuleCorruption(samples, { intervalMs: parameters.intervalMs, boundMs });
  }
  if (parameters.corruptionInterval === undefined || retained !== parameters.retained) return undefined;
  const [low, high] = parameters.corruptionInterval;
  const value = classCorruption(errorClasses(variant, { parameters }), parameters.intervalMs);
  if (!(low <= value && value <= high)) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `corruptionInterval is ${low} to ${high}, but the latency of the parameters gives a pc of ${significant(value)} with ${retained} retained`,
    );
  }
  return { value, low, high, confidence: 0.95 };
}

/** The availability's interval that follows from pc's alone. */
function propagated({ variant, availability }: VariantResult, setting: Setting, pc: Estimate): Estimate {
  return {
    value: availability,
    low: availabilityOf(variant, setting, pc.high),
    high: availabilityOf(variant, setting, pc.low),
    confidence: pc.confidence,
  };
}

/**
 * Where there is a simulation of components it is that, since it shares nothing with the chain; else one of the chain's
 * transitions.
 */
function simulate(variant: Variant, setting: Setting, cycles: number, seed: number): Simulated {
  if (variant === 'none' || variant === 'replica' || variant === 'disk') {
    return { of: 'transitions', unavailability: simulateChain(chainOf(variant, setting), { cycles, seed }) };
  }
  return { of: 'components', unavailability: simulateSystem(systemOf(variant, setting), { cycles, seed }) };
}

function transients(variant: Variant, setting: Setting, times: readonly number[]) {
  const chain = chainOf(variant, setting);
  const limit = steadyState(chain);
  return times.map((hours) => ({
    hours,
    availability: 1 - unavailabilityOf(chain, transient(chain, hours, { steadyState: limit })),
  }));
}

function notesOn({ parameters, latency }: Setting, results: readonly VariantResult[]): readonly string[] {
  const notes: string[] = [];
  if (parameters.title === PARAMETER_SETS['reconstruction']?.title) {
    notes.push(
      latency === undefined
        ? "Table 2 of the paper is lost. These parameters were chosen so that the model gives the abstract's 99 % and 99.98 %: that calibrates them, it validates nothing. The 99.677 % with one checkpoint is our consequence, not a number of the paper's."
        : "Table 2 of the paper is lost. All parameters but the latency were chosen so that the model gives the abstract's 99 % and 99.98 % with the paper's latency. With these samples the results are neither calibrated nor numbers of the paper's.",
    );
  }
  const availability = (variant: Variant) =>
    results.find((result) => result.variant === variant)?.availability;
  const [none, dual] = [availability('none'), availability('dual')];
  if (none !== undefined && dual !== undefined && dual < none) {
    notes.push(
      'With these parameters checkpoints on the same node do not pay: losing the hypervisor dominates, and then the checkpointing VM has to be restarted before the protected one. The paper claims its gain for reasonably reliable hypervisors only.',
    );
  }
  return notes;
}
