import {
  describeNumber,
  numbersUsedBy,
  type Setting,
  significant,
  type SweepResult,
  type Tornado,
  type Variant,
  type VariantResult,
} from '@rmk/model';
import type { Sources } from './setting.js';
import { percent, type Table } from './table.js';

/** The results of a variant, without the probabilities of its states. */
export type ResultLine = Omit<VariantResult, 'probabilities'>;

export function resultTable(results: readonly ResultLine[]): Table {
  return {
    columns: ['variant', 'availability', 'downtime, min a year', 'MTTF, h', 'to restart, h', 'pc', 'system'],
    rows: results.map((result) => [
      result.variant,
      availabilityText(result.availability),
      result.downtimeMinutesPerYear.toFixed(1),
      significant(result.meanTimeToFailureHours),
      result.meanTimeToRestartHours === undefined ? '–' : significant(result.meanTimeToRestartHours),
      result.values['pc'] === undefined ? '–' : percent(result.values['pc'], 3),
      result.description,
    ]),
  };
}

export function tornadoTable({ bars }: Tornado): Table {
  return {
    columns: ['input', 'low', 'high', 'at low', 'at high', 'range'],
    rows: bars.map((bar) => [
      bar.input,
      significant(bar.low),
      significant(bar.high),
      bar.downtimeAtLow.toFixed(1),
      bar.downtimeAtHigh.toFixed(1),
      bar.range,
    ]),
  };
}

export function sweepTable({ parameter, values, series }: SweepResult): Table {
  return {
    columns: [parameter, ...series.map(({ variant }) => variant)],
    rows: values.map((value, index) => [
      significant(value, 6),
      ...series.map(({ availability }) => availabilityText(availability[index] ?? Number.NaN)),
    ]),
  };
}

/** The parameters that enter the results, and where each comes from. */
export function parameterTable(variants: readonly Variant[], setting: Setting, sources: Sources): Table {
  return {
    columns: ['parameter', 'value', 'from', 'meaning'],
    rows: numbersUsedBy(variants, setting).map((name) => [
      name,
      significant(setting.parameters[name], 6),
      sources.numbers[name],
      describeNumber(name),
    ]),
  };
}

export function availabilityText(availability: number): string {
  return `${(100 * availability).toFixed(4)} %`;
}
