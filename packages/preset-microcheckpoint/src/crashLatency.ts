import { boundOfRisk, latencyRate, measuredBoundOfRisk } from '@rmk/checkpoint';
import { nanoseconds, RmkError, type Duration, type Nanoseconds } from '@rmk/core';

/** T_B of a crash as pin-vmsignal takes it. `false`: 0. */
export type LatencyBoundOption = false | { readonly bound: Duration; readonly quantile: number };

export interface AcceptedRisk {
  /** T_ck. */
  readonly interval: Duration;
  /** Accepted probability that the target of a rollback holds the error. */
  readonly corruptionRisk?: number;
  /** Measured latencies of crashes in milliseconds; `Infinity` for an error that was never detected. */
  readonly latencies?: readonly number[];
  /** What is known of the latency without measurements. */
  readonly latencyBound: { readonly bound: Duration; readonly quantile: number };
}

/** Without a risk to keep, measured latencies count up to this quantile: that of the paper (§4). */
const QUANTILE = 0.95;

/** T_B with which a crash's rollback target holds the error with at most the accepted probability (§4). */
export function crashLatencyBound({
  interval,
  corruptionRisk,
  latencies,
  latencyBound,
}: AcceptedRisk): LatencyBoundOption {
  const intervalNs = nanoseconds(interval);
  if (latencies !== undefined) return measuredBound(latencies, intervalNs, corruptionRisk);
  if (corruptionRisk === undefined) return latencyBound;
  const latency = { boundNs: nanoseconds(latencyBound.bound), quantile: latencyBound.quantile };
  const boundNs = boundOfRisk(corruptionRisk, latency, intervalNs);
  return optionOf(boundNs, -Math.expm1(-latencyRate(latency.boundNs, latency.quantile) * boundNs));
}

function measuredBound(
  latencies: readonly number[],
  intervalNs: Nanoseconds,
  corruptionRisk: number | undefined,
): LatencyBoundOption {
  const sortedNs = latencies.map((ms) => ms * 1e6).toSorted((a, b) => a - b);
  const boundNs =
    corruptionRisk === undefined
      ? (sortedNs[Math.ceil(QUANTILE * sortedNs.length) - 1] ?? Infinity)
      : measuredBoundOfRisk(corruptionRisk, sortedNs, intervalNs);
  if (boundNs === undefined || !Number.isFinite(boundNs)) {
    const share = corruptionRisk ?? 1 - QUANTILE;
    throw new RmkError(
      'RMK_ERR_INPUT',
      `microcheckpoint: more than ${share * 100} % of the ${latencies.length} measured errors were never detected. Accept a higher corruptionRisk.`,
    );
  }
  const within = sortedNs.filter((latencyNs) => latencyNs <= boundNs).length;
  // So that it is neither 0 nor 1, which no finite number of measurements shows.
  return optionOf(boundNs, (within + 0.5) / (sortedNs.length + 1));
}

function optionOf(boundNs: Nanoseconds, quantile: number): LatencyBoundOption {
  if (boundNs === 0) return false;
  return { bound: `${Math.ceil(boundNs)}ns`, quantile: Math.min(quantile, 1 - Number.EPSILON) };
}
