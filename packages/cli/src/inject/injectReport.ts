import Table from 'cli-table3';
import { OUTCOMES, summarise, type ExperimentRecord, type Fate, type Summary } from '@rmk/campaign';

const PLAIN = { style: { head: [], border: [], compact: true } };
const FATES: readonly Fate[] = ['right', 'wrong-result', 'failed', 'hang'];

/** The machine-readable result, per kind of fault and pooled. */
export function injectJson(records: readonly ExperimentRecord[], planned: number): string {
  const byFault = Object.fromEntries(
    faultsOf(records).map((fault) => [fault, summarise(records.filter((record) => record.fault === fault))]),
  );
  return `${JSON.stringify({ planned, pooled: summarise(records), byFault }, undefined, 2)}\n`;
}

/** A few tables for people. */
export function injectText(records: readonly ExperimentRecord[]): string {
  const faults = faultsOf(records);
  const groups: readonly (readonly [string, Summary])[] = [
    ...faults.map((fault): [string, Summary] => [
      fault,
      summarise(records.filter((record) => record.fault === fault)),
    ]),
    ...(faults.length > 1 ? [['all', summarise(records)] as [string, Summary]] : []),
  ];
  const pooled = summarise(records);
  const counts = new Table({ ...PLAIN, head: ['outcome', ...groups.map(([name]) => name)] });
  for (const outcome of OUTCOMES) {
    const numbers = groups.map(([, { outcomes }]) => outcomes[outcome]);
    if (numbers.some((number) => number > 0)) counts.push([outcome, ...numbers]);
  }
  counts.push(['injected', ...groups.map(([, { injected }]) => injected)]);
  counts.push(['recovered of detected', ...groups.map(([, summary]) => rate(summary.recoveredOfDetected))]);
  counts.push(['recovered of effective', ...groups.map(([, summary]) => rate(summary.recoveredOfEffective))]);
  const matrix = new Table({
    ...PLAIN,
    head: ['without recovery', ...OUTCOMES.filter((o) => pooled.outcomes[o] > 0)],
  });
  for (const fate of FATES) {
    const row = OUTCOMES.filter((outcome) => pooled.outcomes[outcome] > 0).map(
      (outcome) => pooled.twins[fate][outcome] ?? 0,
    );
    if (row.some((number) => number > 0)) matrix.push([fate, ...row]);
  }
  const { agrees, disagrees } = pooled.control;
  return [
    counts.toString(),
    '',
    matrix.toString(),
    '',
    `${agrees + disagrees} experiments ran to their end as a control, ${disagrees} of them disagreed.`,
    '',
  ].join('\n');
}

export function faultsOf(records: readonly ExperimentRecord[]): readonly string[] {
  return [...new Set(records.map(({ fault }) => fault))].toSorted((one, other) => one.localeCompare(other));
}

/** A rate with its Wilson interval, in per cent. */
function rate(estimate: Summary['recoveredOfDetected']): string {
  if (estimate === undefined) return '-';
  const { value, low, high } = estimate;
  return `${toTenths(value)} % (${toTenths(low)} to ${toTenths(high)})`;
}

/** In per cent, to one decimal, so that the rows of a table align. */
function toTenths(share: number): string {
  return (100 * share).toFixed(1);
}
