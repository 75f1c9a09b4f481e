import { COLOURS, lineFigure } from '../../model/figure.js';
import { reportPage, type Section } from '../../model/page.js';
import type { EmbeddedBenchmarkResult, EngineFigures } from './embeddedBenchmark.js';
import { exhibits, setting } from './embeddedText.js';

/** The report of `rmk bench embedded`: one page that needs nothing from anywhere. */
export function embeddedReport(result: EmbeddedBenchmarkResult): string {
  const sections = result.engines.flatMap((figures): Section[] => [
    slowdowns(figures),
    ...exhibits(figures).map(({ heading, table, notes }): Section => ({
      kind: 'table',
      heading: `${heading} (${figures.engine})`,
      ...table,
      ...(notes.length === 0 ? {} : { caption: notes.join(' ') }),
    })),
  ]);
  return reportPage('What checkpoints cost on the embedded hypervisor', [
    { kind: 'text', paragraphs: setting(result) },
    ...sections,
  ]);
}

function slowdowns({ engine, averages }: EngineFigures): Section {
  const series = (['cowb', 'cowp'] as const).map((algorithm) => ({
    name: algorithm.toUpperCase(),
    colour: algorithm === 'cowb' ? COLOURS.orange : COLOURS.blue,
    points: averages
      .filter((average) => average.algorithm === algorithm)
      .flatMap(({ intervalMs, slowdown }) =>
        slowdown === undefined
          ? []
          : [{ x: intervalMs, y: 100 * slowdown.mean, low: 100 * slowdown.low, high: 100 * slowdown.high }],
      ),
  }));
  return {
    kind: 'figure',
    heading: `Slowdown by interval (${engine})`,
    caption: 'Mean over the programs; band: 95 % interval, from how the pairs vary.',
    svg: lineFigure({
      x: { label: 'checkpoint interval, ms', logarithmic: true },
      y: { label: 'slowdown, %' },
      series,
    }),
  };
}
