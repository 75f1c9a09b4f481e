import type { Estimate, Setting, SweepResult, Tornado, Variant } from '@rmk/model';
import {
  availabilityText,
  parameterTable,
  type ResultLine,
  resultTable,
  sweepTable,
  tornadoTable,
} from './availabilityTables.js';
import type { Sources } from './setting.js';
import { formatTable, percent } from './table.js';

/** The unavailability that a simulation found. */
export interface Simulated {
  readonly of: 'components' | 'transitions';
  readonly unavailability: Estimate;
}

type StudyLine = ResultLine & {
  readonly availabilityInterval?: Estimate;
  readonly transient?: readonly { readonly hours: number; readonly availability: number }[];
  readonly simulated?: Simulated;
};

/** A study of availability as lines and tables. */
export function studyText(
  report: {
    readonly notes: readonly string[];
    readonly results: readonly StudyLine[];
    readonly sweeps: readonly SweepResult[];
    readonly tornado: Tornado;
  },
  setting: Setting,
  sources: Sources,
  variants: readonly Variant[],
): string {
  const { notes, results, sweeps, tornado: bars } = report;
  return [
    `parameters: ${setting.parameters.title}`,
    `latency: ${sources.latency}`,
    '',
    formatTable(resultTable(results)),
    ...results.flatMap((result) => detailsOf(result, setting)),
    '',
    `what the downtime of "${bars.variant}" depends on, minutes a year:`,
    formatTable(tornadoTable(bars)),
    ...sweeps.flatMap((sweep) => ['', formatTable(sweepTable(sweep))]),
    '',
    'where the numbers come from:',
    formatTable(parameterTable(variants, setting, sources)),
    ...notes.flatMap((note) => ['', note]),
    '',
  ].join('\n');
}

/** What is known of a variant beside its row in the table. */
function detailsOf(result: StudyLine, { parameters }: Setting): readonly string[] {
  const {
    variant,
    availabilityInterval,
    transient: at,
    simulated,
    unavailability,
    allUpAvailability,
  } = result;
  const lines: string[] = [];
  if (allUpAvailability !== undefined) {
    lines.push(`${variant}: ${availabilityText(allUpAvailability)} with all ${parameters.vms} up at once`);
  }
  if (availabilityInterval !== undefined) {
    const { low, high } = availabilityInterval;
    lines.push(
      `${variant}: ${availabilityText(low)} to ${availabilityText(high)} from the 95 % interval of pc`,
    );
  }
  for (const { hours, availability } of at ?? []) {
    lines.push(`${variant}: ${availabilityText(availability)} after ${hours} h`);
  }
  if (simulated !== undefined) {
    const { value, low, high } = simulated.unavailability;
    const inside = unavailability >= low && unavailability <= high;
    lines.push(
      `${variant}: ${percent(value)} down in a simulation of its ${simulated.of} (95 %: ${percent(low)} to ${percent(high)}); the model's ${percent(unavailability)} lies ${inside ? 'inside' : 'outside, as 1 in 20 does: see whether it does with another --seed'}`,
    );
  }
  return lines;
}
