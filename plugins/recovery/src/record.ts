import type { Nanoseconds, RecoveryRecord, RungAttempt } from '@rmk/core';
import { checkpointRisk } from './checkpointRisk.js';
import type { Trigger } from './trigger.js';

/** What a rollback or a restart did. */
export type Restored = Pick<
  RecoveryRecord,
  'rung' | 'checkpoint' | 'pagesRestored' | 'workLostNs' | 'outputStruckBytes'
>;

/** Host times of a recovery, in ms. */
export interface Moments {
  readonly startedAt: number;
  readonly suspendedAt: number;
  readonly restoredAt: number;
  readonly resumedAt: number;
}

/** A recovery that succeeded. */
export interface Succeeded {
  readonly trigger: Trigger;
  readonly attempts: readonly RungAttempt[];
  readonly occurrence: number;
  readonly restored: Restored;
}

export function recordOf(
  { trigger, attempts, occurrence, restored }: Succeeded,
  { startedAt, suspendedAt, restoredAt, resumedAt }: Moments,
): RecoveryRecord {
  return {
    trigger,
    ...restored,
    ...(occurrence === 1 ? riskOf(trigger, restored) : {}),
    attempts,
    occurrence,
    steps: {
      suspendHostNs: hostNs(startedAt, suspendedAt),
      rollbackHostNs: hostNs(suspendedAt, restoredAt),
      resumeHostNs: hostNs(restoredAt, resumedAt),
    },
    durationHostNs: hostNs(startedAt, resumedAt),
  };
}

/** Not for what came again: it was in the checkpoint used before, so its latency is not what was declared. */
function riskOf(trigger: Trigger, { checkpoint }: Restored): Pick<RecoveryRecord, 'corruptionRisk'> {
  if (checkpoint === undefined) return {};
  const corruptionRisk = checkpointRisk(trigger, checkpoint.takenAtNs);
  return corruptionRisk === undefined ? {} : { corruptionRisk };
}

function hostNs(fromMs: number, toMs: number): Nanoseconds {
  return Math.round((toMs - fromMs) * 1e6);
}
