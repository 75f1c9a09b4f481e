import { exponentialCorruption, latencyOfPercentile, rateOfPercentile } from './exponentialCorruption.js';

/** λ as §4 rounds it: 95 % within 50 ms. */
export const PAPER_RATE_PER_MS = 0.0599;

/** One row of the paper's table 1, computed again. Probabilities, not per cent. */
export interface Table1Row {
  readonly percentile: number;
  /** T_ck as the paper prints it. */
  readonly intervalMs: number;
  /** Eq. 5 and eq. 6 with the paper's rounded λ and interval, to three significant digits. */
  readonly single: number;
  readonly dual: number;
  /** The percentile of the latency without rounding, at the paper's λ. */
  readonly exactIntervalMs: number;
  /** What the paper prints. */
  readonly paper: { readonly single: number; readonly dual: number };
  /** `single` and `dual` to all digits, and the intervals that they were computed with. */
  readonly computed: {
    readonly single: number;
    readonly dual: number;
    readonly singleIntervalMs: number;
    readonly dualIntervalMs: number;
  };
  /** The same with neither λ nor the interval rounded. */
  readonly exact: {
    readonly ratePerMs: number;
    readonly intervalMs: number;
    readonly single: number;
    readonly dual: number;
  };
}

const PRINTED = [
  { percentile: 0.7, intervalMs: 20, single: 0.583, dual: 0.176 },
  { percentile: 0.9, intervalMs: 38, single: 0.391, dual: 0.0405 },
  { percentile: 0.95, intervalMs: 50, single: 0.317, dual: 0.0159 },
  { percentile: 0.99, intervalMs: 77, single: 0.215, dual: 0.0021 },
  { percentile: 0.999, intervalMs: 115, single: 0.145, dual: 0.00015 },
] as const;

/**
 * Table 1 of §4. Every cell is computed as the paper computed it, with λ = 0.0599 and the printed interval, but for
 * one: 39.1 % at 38 ms comes out only with the unrounded 38.44 ms (38 ms gives 39.4 %).
 */
export function table1(): readonly Table1Row[] {
  const exactRate = rateOfPercentile(0.95, 50);
  return PRINTED.map(({ percentile, intervalMs, single, dual }) => {
    const exactIntervalMs = latencyOfPercentile(percentile, PAPER_RATE_PER_MS);
    const singleIntervalMs = percentile === 0.9 ? Number(exactIntervalMs.toFixed(2)) : intervalMs;
    const computed = {
      single: exponentialCorruption(PAPER_RATE_PER_MS, singleIntervalMs, 1),
      dual: exponentialCorruption(PAPER_RATE_PER_MS, intervalMs, 2),
      singleIntervalMs,
      dualIntervalMs: intervalMs,
    };
    const trueIntervalMs = latencyOfPercentile(percentile, exactRate);
    return {
      percentile,
      intervalMs,
      single: Number(computed.single.toPrecision(3)),
      dual: Number(computed.dual.toPrecision(3)),
      exactIntervalMs,
      paper: { single, dual },
      computed,
      exact: {
        ratePerMs: exactRate,
        intervalMs: trueIntervalMs,
        single: exponentialCorruption(exactRate, trueIntervalMs, 1),
        dual: exponentialCorruption(exactRate, trueIntervalMs, 2),
      },
    };
  });
}
