import type { Detections, Nanoseconds, RecoveryTrigger, RmkEvent } from '@rmk/core';

/** A detection with times that can be relied on: none lies in the future, and what is not a time is ignored. */
export function triggerOf(
  { kind, cause, source, ...detected }: RmkEvent<'EVT_ERRORDETECTED'>,
  nowNs: Nanoseconds,
): RecoveryTrigger {
  const atNs = Math.min(detected.atNs, nowNs);
  const { suspectSinceNs = NaN } = detected;
  const suspect = Number.isFinite(suspectSinceNs) ? { suspectSinceNs: Math.min(suspectSinceNs, atNs) } : {};
  const { latency } = detected;
  return { kind, cause, atNs, detector: source, ...suspect, ...(latency === undefined ? {} : { latency }) };
}

/** The last sign of health, or else the detection less the longest latency that its detector states for the error. */
export function suspectSince(
  { kind, detector, atNs, suspectSinceNs, latency }: RecoveryTrigger,
  { all, longestBoundNs }: Detections,
): Nanoseconds {
  if (suspectSinceNs !== undefined) return suspectSinceNs;
  const boundNs = latency?.boundNs ?? NaN;
  if (boundNs >= 0 && boundNs < Infinity) return atNs - boundNs;
  const bounds = all.filter((one) => one.plugin === detector && one.kind === kind).map((one) => one.boundNs);
  return atNs - (bounds.length === 0 ? longestBoundNs : Math.max(...bounds));
}
