import {
  type Estimate,
  type LadderOutcome,
  type LatencySamples,
  type SampleAnalysis,
  significant,
  type table1,
} from '@rmk/model';
import { formatTable, percent, type Table } from './table.js';

/** What `rmk model corruption` computed, and prints as JSON. */
export interface CorruptionReport {
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

/** The report as lines and tables. */
export function corruptionText(report: CorruptionReport): string {
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

/** Table 1 of the paper beside what the paper has. */
export function table1Text(rows: ReturnType<typeof table1>): string {
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
  return `${formatTable({ columns, rows: cells })}\nλ = 0.0599 per ms and T_ck rounded, as in the paper; its 39.1 % alone uses 38.44 ms. Exact: neither rounded.\n`;
}
