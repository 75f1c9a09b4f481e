import { type Advice, significant } from '@rmk/model';
import { availabilityText } from './availabilityTables.js';
import type { Table } from './table.js';

/** The best interval for each history. */
export function historyTable({ histories }: Advice): Table {
  return {
    columns: ['retained', 'T_B, ms', 'interval, ms', 'availability', 'slowdown', 'weighed'],
    rows: histories.map((choice) => [
      String(choice.retained),
      significant(choice.boundMs),
      significant(choice.intervalMs),
      availabilityText(choice.availability),
      `${(100 * choice.slowdown).toFixed(2)} %`,
      choice.utility.toFixed(6),
    ]),
  };
}

/** The recommended history over the intervals, a dozen of them. */
export function curveTable({ curve }: Advice): Table {
  const every = Math.ceil(curve.length / 12);
  return {
    columns: ['interval, ms', 'availability', 'slowdown', 'weighed', '95 % from', 'to'],
    rows: curve
      .filter((_, index) => index % every === 0 || index === curve.length - 1)
      .map((point) => [
        significant(point.intervalMs),
        availabilityText(point.availability),
        `${(100 * point.slowdown).toFixed(2)} %`,
        point.utility.toFixed(6),
        point.low.toFixed(6),
        point.high.toFixed(6),
      ]),
  };
}
