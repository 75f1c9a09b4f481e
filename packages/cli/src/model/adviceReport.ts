import { type Advice, type MissingInput, significant, type SlowdownCurve } from '@rmk/model';
import { historyTable } from './adviceTables.js';
import { COLOURS, lineFigure } from './figure.js';
import { reportPage, type Section } from './page.js';

/** The report of `rmk model advise`: the recommendation, the curve that it is the top of, and what was not measured. */
export function adviceReport(
  advice: Advice,
  slowdown: SlowdownCurve,
  weight: number,
  missing: readonly MissingInput[],
): string {
  const { recommendation, curve, uncertainty } = advice;
  const marks = [{ x: recommendation.intervalMs, label: `${significant(recommendation.intervalMs)} ms` }];
  const logarithmic = curve.length > 1;
  const sections: Section[] = [
    {
      kind: 'text',
      paragraphs: [
        `A checkpoint every ${significant(recommendation.intervalMs)} ms, ${recommendation.retained} retained: availability ${(100 * recommendation.availability).toFixed(4)} %, slowdown ${(100 * recommendation.slowdown).toFixed(2)} %.`,
        `Weighed: availability / (1 + slowdown)^${weight} = ${recommendation.utility.toFixed(6)} (95 %: ${uncertainty.utility.low.toFixed(6)} to ${uncertainty.utility.high.toFixed(6)}).`,
        ...advice.notes.map((note) => `Note: ${note}.`),
        ...missing.map(
          ({ input, measure, meanwhile }) =>
            `Not measured: ${input}. To measure it, ${measure}. Until then ${meanwhile}.`,
        ),
      ],
    },
    {
      kind: 'figure',
      heading: `Weighed availability, k = ${recommendation.retained}`,
      caption:
        uncertainty.from.length === 0
          ? 'None of the inputs has an uncertainty, so there is no band.'
          : `Band: 95 % from the uncertainty of ${uncertainty.from.join(' and ')}.`,
      svg: lineFigure({
        x: { label: 'checkpoint interval, ms', logarithmic },
        y: { label: 'availability / (1 + slowdown)^weight' },
        series: [
          {
            name: `k = ${recommendation.retained}`,
            colour: COLOURS.blue,
            points: curve.map(({ intervalMs, utility, low, high }) => ({
              x: intervalMs,
              y: utility,
              low,
              high,
            })),
          },
        ],
        marks,
      }),
    },
    {
      kind: 'figure',
      heading: 'Availability alone',
      caption: 'Without the slowdown.',
      svg: lineFigure({
        x: { label: 'checkpoint interval, ms', logarithmic },
        y: { label: 'availability, %' },
        series: [
          {
            name: `k = ${recommendation.retained}`,
            colour: COLOURS.green,
            points: curve.map(({ intervalMs, availability }) => ({ x: intervalMs, y: 100 * availability })),
          },
        ],
        marks,
      }),
    },
    {
      kind: 'figure',
      heading: 'Slowdown as measured',
      caption: 'Straight lines between the measured points, over the logarithm of the interval.',
      svg: lineFigure({
        x: { label: 'checkpoint interval, ms', logarithmic: slowdown.length > 1 },
        y: { label: 'slowdown, %' },
        series: [
          {
            name: 'slowdown',
            colour: COLOURS.orange,
            points: slowdown.map(({ intervalMs, slowdown: value, low, high }) => ({
              x: intervalMs,
              y: 100 * value,
              ...(low === undefined ? {} : { low: 100 * low }),
              ...(high === undefined ? {} : { high: 100 * high }),
            })),
          },
        ],
        marks,
      }),
    },
    {
      kind: 'table',
      heading: 'The best interval for each history',
      ...historyTable(advice),
    },
  ];
  return reportPage('Checkpoint interval and history', sections);
}
