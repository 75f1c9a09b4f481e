import type { Detection, LatencyBound, Nanoseconds } from '@rmk/core';

// Eq. 5 and 6 of §4 are in packages/model too, which predicts with them what this package warns of. They stay in both:
// neither package may import the other, core has contracts and no formulas, and a few lines are no package of their
// own. test/pipelines/rollbackRule.test.ts compares the two.

/** Accepted where nothing else is stated: what a bound of 95 % of the errors leaves (§4). */
export const ACCEPTED_RISK = 0.05;

/** How far back a ring reaches: what decides whether it holds a checkpoint from before an error. */
export interface History {
  /** Checkpoints retained. */
  readonly retain: number;
  /** T_ck. */
  readonly intervalNs: Nanoseconds;
}

/** The risk of one detector in a domain as it is configured. */
export interface DetectorRisk extends Detection {
  readonly plugin: string;
  /** Probability that the target of a rollback holds the error, so that the rollback does not help. */
  readonly risk: number;
  /** Where the number comes from, for people. */
  readonly from: string;
}

/** λ of the exponential latency of which the share `quantile` does not exceed `boundNs` (§4), per nanosecond. */
export function latencyRate(boundNs: Nanoseconds, quantile: number): number {
  return -Math.log1p(-quantile) / boundNs;
}

/**
 * Probability that the target holds the error: e^(-λ T_B) (1 - e^(-λ T_ck)) / (λ T_ck), where the recovery goes to the
 * newest checkpoint that is T_B old and the latency is exponential. Eq. 5 of §4 is T_B = 0, eq. 6 is T_B = T_ck.
 * A ring that does not reach back T_B counts with what it reaches. For a latency that is certain to be at most T_B
 * this is the worst case, 0 if the ring reaches back far enough.
 */
export function corruptionRisk({ boundNs, quantile }: LatencyBound, { retain, intervalNs }: History): number {
  const reachNs = Math.min(boundNs, (retain - 1) * intervalNs);
  if (quantile === undefined || boundNs === 0) {
    return Math.min(1, Math.max(0, (boundNs - reachNs) / intervalNs));
  }
  const rate = latencyRate(boundNs, quantile);
  return Math.exp(-rate * reachNs) * meanSurvival(rate * intervalNs);
}

/** Checkpoints that always hold a target: the ring reaches back T_B also just after a checkpoint. */
export function retainFor(boundNs: Nanoseconds, intervalNs: Nanoseconds): number {
  return Math.ceil(boundNs / intervalNs) + 1;
}

/** T_B with which the risk is `risk`, for an exponential latency. */
export function boundOfRisk(
  risk: number,
  latency: Required<LatencyBound>,
  intervalNs: Nanoseconds,
): Nanoseconds {
  const rate = latencyRate(latency.boundNs, latency.quantile);
  return Math.ceil(Math.max(0, Math.log(meanSurvival(rate * intervalNs) / risk) / rate));
}

/** The risk that measured latencies give: the mean of P(l > age) over the ages that a target has, T_B to T_B + T_ck. */
export function measuredRisk(
  latenciesNs: readonly Nanoseconds[],
  boundNs: Nanoseconds,
  intervalNs: Nanoseconds,
): number {
  const corrupting = latenciesNs.map((latencyNs) =>
    Math.min(1, Math.max(0, (latencyNs - boundNs) / intervalNs)),
  );
  return corrupting.reduce((sum, share) => sum + share, 0) / latenciesNs.length;
}

/** T_B with which measured latencies give a risk of at most `risk`; undefined if more than that are never detected. */
export function measuredBoundOfRisk(
  risk: number,
  latenciesNs: readonly Nanoseconds[],
  intervalNs: Nanoseconds,
): Nanoseconds | undefined {
  const finite = latenciesNs.filter((latencyNs) => Number.isFinite(latencyNs));
  let [low, high] = [0, finite.reduce((longest, latencyNs) => Math.max(longest, latencyNs), 0)];
  if (measuredRisk(latenciesNs, high, intervalNs) > risk) return undefined;
  if (measuredRisk(latenciesNs, 0, intervalNs) <= risk) return 0;
  // The risk falls with T_B: between these two to the nanosecond, or to neighbouring numbers where those are farther
  // apart.
  while (high - low > 1) {
    const middle = Math.floor(low + (high - low) / 2);
    if (middle === low || middle === high) break;
    if (measuredRisk(latenciesNs, middle, intervalNs) <= risk) high = middle;
    else low = middle;
  }
  return high;
}

/** The risk of each detector, as the domain stands. */
export function risksOf(
  detections: readonly (Detection & { readonly plugin: string })[],
  history: History,
): readonly DetectorRisk[] {
  return detections.map((detection) => ({
    ...detection,
    risk: corruptionRisk(detection, history),
    from: fromOf(detection),
  }));
}

function fromOf({ plugin, boundNs, quantile, note }: Detection & { readonly plugin: string }): string {
  const bound = `${boundNs / 1e6} ms`;
  const declared =
    quantile === undefined
      ? `${plugin} declares at most ${bound}`
      : `${plugin} declares ${Number((quantile * 100).toPrecision(4))} % within ${bound}, taken as exponential`;
  return note === undefined ? declared : `${declared}: ${note}`;
}

/** (1 - e^-x) / x, which tends to 1 for small x. */
function meanSurvival(x: number): number {
  return x === 0 ? 1 : -Math.expm1(-x) / x;
}

/** A probability for people: three significant digits. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
