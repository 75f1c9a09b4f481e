import type { Bus, Detections, LatencyBound, Nanoseconds, RecoveryTrigger, RmkEvent } from '@rmk/core';

/** What set a recovery off, with a latency that is always known. */
export type Trigger = RecoveryTrigger & { readonly latency: LatencyBound };

type Detected = RmkEvent<'EVT_ERRORDETECTED'>;

/** Makes triggers of detections, which are not trusted, and looks up the latency that their detectors declare. */
export class TriggerReader {
  private readonly undeclared = new Set<string>();

  constructor(
    private readonly detections: Detections,
    private readonly bus: Bus,
  ) {}

  /** No time of a trigger lies in the future, and a value that is not a time is ignored. */
  read(detected: Detected, nowNs: Nanoseconds): Trigger {
    const { kind, cause, source: detector, place } = detected;
    const atNs = Number.isFinite(detected.atNs) ? Math.min(detected.atNs, nowNs) : nowNs;
    return {
      kind,
      cause,
      atNs,
      ...(isTime(detected.suspectSinceNs) ? { suspectSinceNs: Math.min(detected.suspectSinceNs, atNs) } : {}),
      latency: this.latencyOf(detected, atNs),
      ...(place === undefined ? {} : { place }),
      detector,
    };
  }

  private latencyOf({ kind, source, latency, suspectSinceNs }: Detected, atNs: Nanoseconds): LatencyBound {
    if (isTime(latency?.boundNs) && latency.boundNs >= 0) return latency;
    const declared = this.detections.all.filter((one) => one.plugin === source && one.kind === kind);
    const [longest] = declared.toSorted((a, b) => b.boundNs - a.boundNs);
    if (longest !== undefined) return boundOf(longest);
    if (!isTime(suspectSinceNs)) this.warn(kind, source, atNs);
    return { boundNs: this.detections.longestBoundNs };
  }

  /** Once for each kind of each detector. */
  private warn(kind: string, source: string, atNs: Nanoseconds): void {
    const key = `${source} ${kind}`;
    if (this.undeclared.has(key)) return;
    this.undeclared.add(key);
    const boundMs = this.detections.longestBoundNs / 1e6;
    const message =
      `${source} reported an error of the kind '${kind}', which its detects() does not declare, so its latency is ` +
      `unknown: ${boundMs} ms is assumed, the longest bound declared. Declare the kind, or give the event a latency.`;
    this.bus.topic('EVT_WARNING').publish({ atNs, code: 'RMK_WARN_UNDECLARED', message });
  }
}

function boundOf({ boundNs, quantile }: LatencyBound): LatencyBound {
  return quantile === undefined ? { boundNs } : { boundNs, quantile };
}

function isTime(value: Nanoseconds | undefined): value is Nanoseconds {
  return value !== undefined && Number.isFinite(value);
}
