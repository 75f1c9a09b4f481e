import * as Plot from '@observablehq/plot';
import { svgOf, WIDTH } from './figure.js';

export interface HeatFigure {
  /** What the columns are, such as `'bit'`. */
  readonly across: string;
  readonly columns: readonly number[];
  readonly rows: readonly string[];
  /** `share`: from 0 to 1. Cells that are missing stay empty. */
  readonly cells: readonly {
    readonly row: string;
    readonly column: number;
    readonly share: number;
    readonly title: string;
  }[];
  /** What a dark cell has much of. */
  readonly legend: string;
}

const ROW_HEIGHT = 17;
/** From light to dark in one hue, so that it reads in grey too. */
const SCALE = ['#c6dbef', '#08306b'] as const;

/** A heat map, as an SVG element. A cell shows its share as a colour, and its title where a pointer rests on it. */
export function heatFigure({ across, columns, rows, cells, legend }: HeatFigure): string {
  return svgOf({
    width: WIDTH,
    height: 100 + ROW_HEIGHT * rows.length,
    marginLeft: 92,
    marginTop: 46,
    marginBottom: 50,
    x: { label: across, labelAnchor: 'center', labelArrow: 'none', domain: columns, padding: 0.08 },
    y: { label: null, domain: rows, padding: 0.08 },
    color: { domain: [0, 1], range: [...SCALE], interpolate: 'rgb' },
    marks: [
      Plot.frame({ stroke: '#bbb' }),
      Plot.cell(cells, {
        x: 'column',
        y: 'row',
        fill: 'share',
        title: (cell: { title: string }) => cell.title,
      }),
      ...key([
        { colour: SCALE[0], label: `${legend}: none`, at: 0 },
        { colour: SCALE[1], label: 'all', at: 260 },
      ]),
    ],
  });
}

/** What the colours stand for, above the figure. */
function key(entries: readonly { readonly colour: string; readonly label: string; readonly at: number }[]) {
  const place = { frameAnchor: 'top-left', dy: -30 } as const;
  return entries.flatMap(({ colour, label, at }) => [
    Plot.text(['■'], { ...place, dx: at, fill: colour, fontSize: 18 }),
    Plot.text([label], { ...place, dx: at + 16 }),
  ]);
}
