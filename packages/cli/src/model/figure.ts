import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Colours that stay apart for colour-blind eyes and in grey (Okabe and Ito's). */
export const COLOURS = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#009e73',
  purple: '#a6518a',
  sky: '#3d9bd1',
  grey: '#666666',
  brown: '#8a6d00',
  black: '#222222',
} as const;

export interface Axis {
  readonly label: string;
  /** Equal ratios at equal distances; the values must be above zero. */
  readonly logarithmic?: boolean;
  /** How a tick is written. */
  readonly format?: (value: number) => string;
  /** Whether the values fall upwards (or to the right). */
  readonly reversed?: boolean;
}

export interface Series {
  readonly name: string;
  readonly colour: string;
  /** Drawn with dashes, so that it shows where it lies on another one. */
  readonly dashed?: boolean;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly low?: number;
    readonly high?: number;
  }[];
}

export interface LineFigure {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Values of x to be marked, with a word on each. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
}

export const WIDTH = 760;
const FONT = '13px system-ui, "DejaVu Sans", sans-serif';

/** The figure as an SVG element, of a size and font that all of them share. */
export function svgOf(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    ...options,
    document,
    style: { font: FONT, color: '#222', background: 'white', overflow: 'visible' },
  });
  svg.setAttribute('role', 'img');
  return svg.outerHTML;
}

/**
 * Lines with their names at their right ends, as an SVG element. Logarithms are taken here and not by the plotting
 * library, whose logarithmic scale leaves out labels as it sees fit.
 */
export function lineFigure({ x, y, series, marks = [] }: LineFigure): string {
  const across = scaleOf(x);
  const up = scaleOf(y);
  const placed = series.map((each) => ({
    ...each,
    points: each.points.map((point) => ({
      x: across(point.x),
      y: up(point.y),
      ...(point.low === undefined || point.high === undefined
        ? {}
        : { low: up(point.low), high: up(point.high) }),
    })),
  }));
  const all = series.flatMap(({ points }) => points);
  const xTicks = ticksOf(
    x,
    all.map((point) => point.x),
  );
  const yTicks = ticksOf(
    y,
    all.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
  );
  return svgOf({
    width: WIDTH,
    height: 380,
    marginLeft: 76,
    marginRight: 130,
    marginTop: 34,
    marginBottom: 46,
    x: { label: titleOf(x), labelAnchor: 'center', labelArrow: 'none', ...xTicks, domain: extent(placed) },
    y: { label: titleOf(y), labelArrow: 'none', grid: true, nice: y.logarithmic !== true, ...yTicks },
    color: { domain: series.map(({ name }) => name), range: series.map(({ colour }) => colour) },
    marks: [
      Plot.frame({ stroke: '#bbb' }),
      Plot.ruleX(marks, {
        x: (mark: { x: number }) => across(mark.x),
        stroke: '#888',
        strokeDasharray: '3,3',
      }),
      Plot.text(marks, {
        x: (mark: { x: number }) => across(mark.x),
        text: 'label',
        frameAnchor: 'top',
        dy: -16,
        fill: '#555',
      }),
      ...placed.flatMap(({ points, colour, dashed }) => [
        Plot.areaY(
          points.filter(({ low }) => low !== undefined),
          { x: 'x', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.18 },
        ),
        Plot.line(points, {
          x: 'x',
          y: 'y',
          stroke: colour,
          strokeWidth: 2.2,
          ...(dashed === true ? { strokeDasharray: '7,4' } : {}),
        }),
        ...(points.length < 8 ? [Plot.dot(points, { x: 'x', y: 'y', fill: colour, r: 3.5 })] : []),
      ]),
      Plot.text(endLabels(placed), {
        x: 'x',
        y: 'y',
        text: 'name',
        fill: 'name',
        textAnchor: 'start',
        dx: 8,
        fontWeight: 600,
      }),
    ],
  });
}

/** The label of an axis, which says so where equal distances are equal ratios. */
function titleOf({ label, logarithmic, reversed }: Axis): string {
  return logarithmic === true && reversed !== true ? `${label} (logarithmic)` : label;
}

function scaleOf(axis: Axis): (value: number) => number {
  return axis.logarithmic === true ? Math.log10 : (value) => value;
}

function extent(series: readonly Pick<Series, 'points'>[]): [number, number] {
  const xs = series.flatMap(({ points }) => points.map(({ x }) => x));
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  return low === high ? [low - 1, high + 1] : [low, high];
}

function ticksOf(axis: Axis, values: readonly number[]) {
  const format = axis.format ?? ((value: number) => String(Number(value.toPrecision(6))));
  const reverse = axis.reversed === true ? { reverse: true } : {};
  if (axis.logarithmic !== true) return { tickFormat: (value: number) => format(value), ...reverse };
  const ticks = decades(Math.min(...values), Math.max(...values));
  return {
    ticks: ticks.map((tick) => Math.log10(tick)),
    tickFormat: (value: number) => format(Number((10 ** value).toPrecision(12))),
    ...reverse,
  };
}

/** Ticks at 1, 2 and 5 times the powers of ten; at the powers alone over more than three decades. */
function decades(low: number, high: number): readonly number[] {
  const steps = high / low > 1000 ? [1] : [1, 2, 5];
  const first = Math.floor(Math.log10(low));
  const count = Math.ceil(Math.log10(high)) - first + 1;
  return Array.from({ length: count }, (_, i) => 10 ** (first + i))
    .flatMap((power) => steps.map((step) => step * power))
    .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** The last point of each series, moved apart where two names would stand on each other. */
function endLabels(series: readonly Pick<Series, 'name' | 'points'>[]) {
  const all = series.flatMap(({ points }) => points.map(({ y }) => y));
  const apart = (Math.max(...all) - Math.min(...all)) * 0.06;
  const labels = series
    .flatMap(({ name, points }) => {
      const last = points.at(-1);
      return last === undefined ? [] : [{ name, x: last.x, y: last.y }];
    })
    .toSorted((a, b) => b.y - a.y);
  for (let i = 1; i < labels.length; i++) {
    const [above, label] = [labels[i - 1], labels[i]];
    if (above !== undefined && label !== undefined && above.y - label.y < apart) label.y = above.y - apart;
  }
  return labels;
}

export interface TornadoFigure {
  /** The value that all bars hang on. */
  readonly centre: number;
  readonly label: string;
  readonly bars: readonly {
    readonly name: string;
    readonly atLow: number;
    readonly atHigh: number;
    readonly low: string;
    readonly high: string;
  }[];
}

/** A tornado: for each input what the result is at its low and at its high end, widest first, as an SVG element. */
export function tornadoFigure({ centre, label, bars }: TornadoFigure): string {
  const halves = bars.flatMap(({ name, atLow, atHigh, low, high }) => [
    { name, from: centre, to: atLow, end: 'input at its low end', text: low },
    { name, from: centre, to: atHigh, end: 'input at its high end', text: high },
  ]);
  const colour = (end: string) => (end === 'input at its low end' ? COLOURS.sky : COLOURS.orange);
  const values = halves.map(({ to }) => to);
  const [least, most] = [Math.min(centre, ...values), Math.max(centre, ...values)];
  // For the values beside the widest bars.
  const room = (most - least) * 0.2;
  return svgOf({
    width: WIDTH,
    height: 90 + 30 * bars.length,
    marginLeft: 250,
    marginRight: 40,
    marginTop: 44,
    marginBottom: 46,
    x: { label, labelAnchor: 'center', labelArrow: 'none', grid: true, domain: [least - room, most + room] },
    y: { label: null, domain: bars.map(({ name }) => name), padding: 0.28, tickSize: 0 },
    marks: [
      Plot.barX(halves, {
        y: 'name',
        x1: 'from',
        x2: 'to',
        fill: (half: { end: string }) => colour(half.end),
      }),
      Plot.text(
        halves.filter(({ to }) => to < centre),
        { y: 'name', x: 'to', text: 'text', textAnchor: 'end', dx: -5, fontSize: 11 },
      ),
      Plot.text(
        halves.filter(({ to }) => to >= centre),
        { y: 'name', x: 'to', text: 'text', textAnchor: 'start', dx: 5, fontSize: 11 },
      ),
      Plot.ruleX([centre], { stroke: '#222' }),
      Plot.text(['■ input at its low end'], {
        frameAnchor: 'top-left',
        dy: -26,
        fill: COLOURS.sky,
        fontWeight: 600,
      }),
      Plot.text(['■ input at its high end'], {
        frameAnchor: 'top-left',
        dy: -26,
        dx: 170,
        fill: COLOURS.orange,
        fontWeight: 600,
      }),
    ],
  });
}
