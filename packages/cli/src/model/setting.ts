import { RmkError } from '@rmk/core';
import {
  baseOf,
  empiricalLatency,
  type LatencySample,
  NUMBER_NAMES,
  type NumberName,
  PARAMETER_SOURCES,
  parseLatencySamples,
  parseParameterFile,
  requireNumberName,
  resolveParameters,
  type Setting,
  withNumber,
} from '@rmk/model';
import { readJson, readText } from './files.js';

/** The options that say which parameters and latencies a command works with. */
export interface SettingOptions {
  readonly set?: string;
  readonly params?: string;
  readonly param?: readonly string[];
  readonly samples?: string;
}

/** Where the numbers of a report come from. */
export interface Sources {
  readonly numbers: Readonly<Record<NumberName, string>>;
  /** Where the latency distribution comes from. */
  readonly latency: string;
}

export interface CommandSetting {
  readonly setting: Setting;
  readonly samples: readonly LatencySample[] | undefined;
  readonly sources: Sources;
  readonly warnings: readonly string[];
  /** Whether the rollback time is the user's own. */
  readonly ownRollback: boolean;
}

/**
 * Reads the parameter set, the file on top of it, and the single numbers on top of that. Throws RMK_ERR_INPUT if any of
 * it is invalid.
 */
export function readSetting(options: SettingOptions): CommandSetting {
  const file =
    options.params === undefined ? {} : parseParameterFile(readJson(options.params), options.params);
  let parameters = resolveParameters(file, options.set);
  const built = PARAMETER_SOURCES[baseOf(file, options.set)];
  const numbers = Object.fromEntries(
    NUMBER_NAMES.map((name) => [
      name,
      file[name] === undefined ? (built?.[name] ?? '') : (options.params ?? ''),
    ]),
  ) as Record<NumberName, string>;
  let ownRollback = file.rollbackSeconds !== undefined;
  const given = new Set<NumberName>();
  for (const text of options.param ?? []) {
    const [name = '', value = '', ...more] = text.split('=');
    if (more.length > 0 || value.trim() === '') {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `"${text}" is not a parameter: write name=value, as in intervalMs=100`,
      );
    }
    const known = requireNumberName(name.trim());
    const number = Number(value);
    if (Number.isNaN(number)) {
      throw new RmkError('RMK_ERR_INPUT', `--param ${known}: "${value}" is not a number.`);
    }
    if (given.has(known)) {
      throw new RmkError('RMK_ERR_INPUT', `--param ${known} is given twice: leave one of them out`);
    }
    given.add(known);
    parameters = withNumber(parameters, known, number);
    numbers[known] = `--param ${known}`;
    if (known === 'rollbackSeconds') {
      parameters = { ...parameters, rollbackScope: 'rollback' };
      ownRollback = true;
    }
    if (!parameters.title.startsWith('own'))
      parameters = { ...parameters, title: `own parameters on top of: ${parameters.title}` };
  }
  if (options.samples === undefined) {
    const latency =
      parameters.classes === undefined
        ? `latencyPercentile and latencyBoundMs (${numbers.latencyBoundMs})`
        : `failure classes of ${options.params ?? 'the parameters'}`;
    return {
      setting: { parameters },
      samples: undefined,
      sources: { numbers, latency },
      warnings: [],
      ownRollback,
    };
  }
  if (parameters.classes !== undefined) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      'the latency comes either from the failure classes of --params or from --samples: leave one out',
    );
  }
  const { samples, definition, warnings } = parseLatencySamples(readText(options.samples), options.samples);
  const header = definition === undefined ? '' : ` (${definition})`;
  return {
    setting: { parameters, latency: empiricalLatency(samples) },
    samples,
    sources: { numbers, latency: `${samples.length} samples of ${options.samples}${header}` },
    warnings,
    ownRollback,
  };
}
