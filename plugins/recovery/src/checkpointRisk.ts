import type { DetectedError } from './ladder.js';
import type { Nanoseconds } from '@rmk/core';

/**
 * Probability that a checkpoint taken at `takenAtNs` holds the error, which it does if the error was there by then:
 * e^(-λ age) for an exponential latency (§4), of which eq. 5 is the mean over an interval. 0 if the guest was healthy
 * then, or the latency is certain to be shorter. Undefined if nothing is known.
 */
export function checkpointRisk(
  { atNs, suspectSinceNs, latency }: DetectedError,
  takenAtNs: Nanoseconds,
): number | undefined {
  if (suspectSinceNs !== undefined) return takenAtNs <= suspectSinceNs ? 0 : undefined;
  const { boundNs, quantile } = latency;
  const ageNs = atNs - takenAtNs;
  if (boundNs === 0) return 0;
  // (1 - quantile) of the errors take longer than the bound, so λ is -ln(1 - quantile) / boundNs.
  if (quantile !== undefined) return (1 - quantile) ** (ageNs / boundNs);
  return ageNs >= boundNs ? 0 : undefined;
}
