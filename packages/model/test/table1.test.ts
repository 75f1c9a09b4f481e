import { describe, expect, it } from 'vitest';
import { exponentialCorruption } from '../src/corruption/exponentialCorruption.js';
import { table1 } from '../src/corruption/table1.js';

/** A probability as the paper prints it, in per cent with so many decimals. */
const printed = (probability: number, decimals: number) => (100 * probability).toFixed(decimals);

describe('table 1', () => {
  const rows = table1();

  it('has the rows of the paper', () => {
    expect(rows.map(({ percentile, intervalMs }) => [percentile, intervalMs])).toEqual([
      [0.7, 20],
      [0.9, 38],
      [0.95, 50],
      [0.99, 77],
      [0.999, 115],
    ]);
  });

  it('comes out as printed, cell by cell', () => {
    expect(rows.map(({ computed }) => printed(computed.single, 1))).toEqual([
      '58.3',
      '39.1',
      '31.7',
      '21.5',
      '14.5',
    ]);
    expect(rows.map(({ computed }, i) => printed(computed.dual, [1, 2, 2, 2, 3][i] ?? 0))).toEqual([
      '17.6',
      '4.05',
      '1.59',
      '0.21',
      '0.015',
    ]);
    expect(rows.map(({ single, dual }) => [single, dual])).toEqual([
      [0.583, 0.176],
      [0.391, 0.0405],
      [0.317, 0.0159],
      [0.215, 0.00213],
      [0.145, 0.000148],
    ]);
  });

  it('needs 38.44 ms for 39.1 % and for nothing else', () => {
    expect(
      rows
        .filter(({ computed, intervalMs }) => computed.singleIntervalMs !== intervalMs)
        .map((row) => row.percentile),
    ).toEqual([0.9]);
    expect(rows[1]?.computed.singleIntervalMs).toBe(38.44);
    expect(printed(exponentialCorruption(0.0599, 38, 1), 1)).toBe('39.4');
  });

  it('has the exact values beside: at the p-percentile they are p / x and p (1 - p) / x with x = -ln(1 - p)', () => {
    for (const { percentile: p, exact } of rows) {
      const x = -Math.log1p(-p);
      expect(exact.single).toBeCloseTo(p / x, 14);
      expect(exact.dual).toBeCloseTo((p * (1 - p)) / x, 14);
    }
    expect(rows[2]?.exact.intervalMs).toBeCloseTo(50, 12);
    expect(rows[1]?.exactIntervalMs).toBeCloseTo(38.44, 2);
  });
});
