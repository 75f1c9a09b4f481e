import {
  empiricalLatency,
  parseLatencySamples,
  parseParameterFile,
  requireNumberName,
  resolveParameters,
  type Setting,
  withNumber,
} from '@rmk/model';
import { RmkError } from '@rmk/core';
import { readJson, readText } from './files.js';

/** The options that say which parameters and latencies a command works with. */
export interface SettingOptions {
  readonly set?: string;
  readonly params?: string;
  readonly param?: readonly string[];
  readonly samples?: string;
}

export interface CommandSetting {
  readonly setting: Setting;
  readonly latenciesMs: readonly number[] | undefined;
  readonly warnings: readonly string[];
  /** Whether the rollback time is the user's own. */
  readonly ownRollback: boolean;
}

/**
 * The set, the file on top of it, and the single numbers on top of that.
 *
 * Throws RMK_ERR_INPUT if any of it is invalid.
 */
export function readSetting(options: SettingOptions): CommandSetting {
  const file =
    options.params === undefined ? {} : parseParameterFile(readJson(options.params), options.params);
  let parameters = resolveParameters(file, options.set);
  let ownRollback = file.rollbackSeconds !== undefined;
  for (const text of options.param ?? []) {
    const [name = '', value = '', ...more] = text.split('=');
    if (more.length > 0 || value.trim() === '') {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `"${text}" is not a parameter: write name=value, as in intervalMs=100`,
      );
    }
    const known = requireNumberName(name.trim());
    parameters = withNumber(parameters, known, Number(value));
    if (known === 'rollbackSeconds') {
      parameters = { ...parameters, rollbackScope: 'rollback' };
      ownRollback = true;
    }
    if (!parameters.title.startsWith('own'))
      parameters = { ...parameters, title: `own parameters on top of: ${parameters.title}` };
  }
  if (options.samples === undefined)
    return { setting: { parameters }, latenciesMs: undefined, warnings: [], ownRollback };
  if (parameters.classes !== undefined) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      'the latency comes either from the failure classes of --params or from --samples: leave one out',
    );
  }
  const { latenciesMs, warnings } = parseLatencySamples(readText(options.samples), options.samples);
  return {
    setting: { parameters, latency: empiricalLatency(latenciesMs) },
    latenciesMs,
    warnings,
    ownRollback,
  };
}
