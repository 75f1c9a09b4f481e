import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  DETECTIONS,
  hasCode,
  messageOf,
  nanoseconds,
  OPTIONS,
  P_VCPU,
  type Bus,
  type Checkpoint,
  type Checkpoints,
  type Clock,
  type Detections,
  type DomainRecovery,
  type Module,
  type Nanoseconds,
  type RecoveryRecord,
  type RmkEvent,
  type Rollback,
  type RungAttempt,
  type Suspension,
  type VcpuPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { checkpointRisk } from './checkpointRisk.js';
import { Episode, type Failure, type Verdict } from './episode.js';
import { ladderAgain, ladderFor, suspectSince, type Candidate, type Ladder } from './ladder.js';
import type { RecoveryOptions } from './options.js';
import { restartsOf, type Restarts } from './restarts.js';
import { TriggerReader, type Trigger } from './trigger.js';

type LastRecovery = Pick<RecoveryRecord, 'rung' | 'occurrence'> & { readonly atNs: Nanoseconds };

type Restored = Pick<
  RecoveryRecord,
  'rung' | 'checkpoint' | 'pagesRestored' | 'workLostNs' | 'outputStruckBytes'
>;

/** Host time before each retry of a suspension or resumption that failed. */
const RETRY_AFTER_HOST_MS = [1, 10, 100];

/**
 * The recovery module (§8): suspends the failed VM, rolls it back in place, resumes it. If the same failure comes again
 * it climbs the ladder: older checkpoints, a restart of VM and job, and then it gives up.
 */
@injectable()
export class Recovery implements DomainRecovery, Module {
  private readonly triggers: TriggerReader;
  private readonly restarts: Restarts;
  private readonly episode = new Episode();
  private last: LastRecovery | undefined;
  /** Checkpoint at the state that the last recovery left: the one a rollback reopened, or the first after a restart. */
  private left: Checkpoint | undefined;
  /** Guest time of that state. */
  private leftAtNs: Nanoseconds | undefined;
  /** Domain time minus guest time. */
  private undoneNs: Nanoseconds = 0;
  private recovering = false;
  /** Keeps a VM that was given up suspended. */
  private givenUp: Suspension | undefined;

  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(DETECTIONS) detections: Detections,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) private readonly options: RecoveryOptions,
  ) {
    this.triggers = new TriggerReader(detections, bus);
    this.restarts = restartsOf(options);
  }

  start(): void {
    this.bus.on('EVT_ERRORDETECTED', (detected) => this.recover(detected));
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => this.beginAgain(atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ rollback }) => {
      this.undoneNs += rollback.undoneNs;
    });
    this.bus.on('EVT_CHECKPOINTED', ({ checkpoint }) => {
      this.left ??= checkpoint;
    });
  }

  get state(): DomainRecovery['state'] {
    if (this.givenUp !== undefined) return 'given-up';
    return this.recovering ? 'recovering' : 'ready';
  }

  private async beginAgain(atNs: Nanoseconds): Promise<void> {
    this.left = undefined;
    this.undoneNs = atNs;
    if (this.recovering) return;
    // Someone else restarted the VM: what failed before no longer counts.
    this.last = undefined;
    this.leftAtNs = undefined;
    this.episode.clear();
    this.restarts.clear();
    const { givenUp } = this;
    this.givenUp = undefined;
    if (givenUp !== undefined) await this.resume(givenUp);
  }

  private async recover(detected: RmkEvent<'EVT_ERRORDETECTED'>): Promise<void> {
    const trigger = this.triggers.read(detected, this.clock.now());
    // Detected in the state that is being, or has just been, discarded: nothing new.
    if (this.state !== 'ready' || trigger.atNs <= (this.last?.atNs ?? -1)) return;
    this.recovering = true;
    try {
      await this.recoverFrom(trigger);
    } finally {
      this.recovering = false;
    }
  }

  private async recoverFrom(trigger: Trigger): Promise<void> {
    const attempts: RungAttempt[] = [];
    const startedAt = performance.now();
    let suspension: Suspension;
    try {
      suspension = await this.retried('suspended', () => this.vcpu.suspend());
    } catch (error) {
      // The VM runs on, so the next detection finds the recovery ready.
      this.reportFailure(trigger, attempts, `the VM could not be suspended: ${messageOf(error)}`, false);
      return;
    }
    const suspendedAt = performance.now();
    const failure = this.failureOf(trigger);
    const verdict = this.episode.judge(failure);
    this.episode.add(failure, verdict);
    const occurrence = verdict === 'same' ? (this.last?.occurrence ?? 0) + 1 : 1;
    const restored =
      (await this.rollBack(trigger, verdict, attempts)) ?? (await this.restart(trigger, verdict, attempts));
    if (typeof restored === 'string') {
      this.givenUp = suspension;
      this.reportFailure(trigger, attempts, restored, true);
      return;
    }
    this.last = { rung: restored.rung, atNs: trigger.atNs, occurrence };
    this.leftAtNs = trigger.atNs - this.undoneNs;
    const restoredAt = performance.now();
    try {
      await this.resume(suspension);
    } catch (error) {
      this.reportFailure(
        trigger,
        attempts,
        `the VM was recovered, but could not be resumed: ${messageOf(error)}`,
        false,
      );
      return;
    }
    const resumedAt = performance.now();
    const record: RecoveryRecord = {
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
    this.bus.topic('EVT_RECOVERED').publish({ atNs: trigger.atNs, record });
  }

  private resume(suspension: Suspension): Promise<void> {
    return this.retried('resumed', () => this.vcpu.resume(suspension));
  }

  /** Retries what P_VCPU rejects, and reports each failure. Rejects with the last one. */
  private async retried<T>(done: string, operation: () => Promise<T>): Promise<T> {
    for (const afterHostMs of RETRY_AFTER_HOST_MS) {
      try {
        return await operation();
      } catch (error) {
        const message = `the VM could not be ${done}, which is tried again: ${messageOf(error)}`;
        this.bus.topic('EVT_WARNING').publish({ atNs: this.clock.now(), code: 'RMK_WARN_VCPU', message });
      }
      await setTimeout(afterHostMs);
    }
    return operation();
  }

  private failureOf({ kind, cause, detector, place, atNs, suspectSinceNs, latency }: Trigger): Failure {
    const isPolled = suspectSinceNs === undefined && latency.quantile === undefined;
    return {
      kind,
      cause,
      detector,
      ...(place === undefined ? {} : { place }),
      detectedAtNs: atNs - this.undoneNs,
      healthyAtNs: (suspectSinceNs ?? atNs) - this.undoneNs,
      jitterNs: isPolled ? latency.boundNs : 0,
      ...(suspectSinceNs === undefined || this.leftAtNs === undefined ? {} : { leftAtNs: this.leftAtNs }),
    };
  }

  private async rollBack(
    trigger: Trigger,
    verdict: Verdict,
    attempts: RungAttempt[],
  ): Promise<Restored | undefined> {
    const { candidates, newer, noTargetBecause } = this.ladder(trigger, verdict);
    if (noTargetBecause !== undefined) attempts.push({ rung: 'target', failure: noTargetBecause });
    let damaged = false;
    for (const candidate of candidates) {
      const outcome = await this.tryCandidate(candidate, trigger, attempts);
      if (typeof outcome !== 'string') return outcome;
      damaged ||= outcome === 'damaged';
    }
    if (!damaged) return undefined;
    for (const candidate of newer) {
      const outcome = await this.tryCandidate(candidate, trigger, attempts);
      if (typeof outcome !== 'string') return outcome;
    }
    return undefined;
  }

  private ladder(trigger: Trigger, verdict: Verdict): Ladder {
    const { retained } = this.checkpoints;
    if (verdict !== 'same') return ladderFor(retained, suspectSince(trigger));
    if (this.last?.rung !== 'restart') return ladderAgain(retained, this.left);
    return { candidates: [], newer: [], noTargetBecause: 'the same failure again, after a restart' };
  }

  private async tryCandidate(
    { rung, checkpoint }: Candidate,
    trigger: Trigger,
    attempts: RungAttempt[],
  ): Promise<Restored | 'failed' | 'damaged'> {
    const { takenAtNs, origin } = checkpoint;
    try {
      const { pagesRestored, undoneNs, outputStruckBytes, reopened }: Rollback =
        await this.checkpoints.rollback(checkpoint);
      this.left = reopened;
      attempts.push({ rung, takenAtNs });
      return {
        rung,
        checkpoint: { takenAtNs, origin, ageNs: trigger.atNs - takenAtNs },
        pagesRestored,
        workLostNs: undoneNs,
        outputStruckBytes,
      };
    } catch (error) {
      attempts.push({ rung, takenAtNs, failure: messageOf(error) });
      return hasCode(error, 'RMK_ERR_LOGDAMAGED') ? 'damaged' : 'failed';
    }
  }

  /** Resolves to the reason if a restart is not allowed or fails. */
  private async restart(
    trigger: Trigger,
    verdict: Verdict,
    attempts: RungAttempt[],
  ): Promise<Restored | string> {
    const refusal = this.whyNoRestart(trigger, verdict);
    if (refusal !== undefined) {
      attempts.push({ rung: 'restart', failure: refusal });
      return refusal;
    }
    try {
      await this.vcpu.restart();
    } catch (error) {
      const failure = messageOf(error);
      attempts.push({ rung: 'restart', failure });
      return failure;
    }
    attempts.push({ rung: 'restart' });
    this.restarts.add(trigger.atNs);
    return { rung: 'restart', pagesRestored: 0 };
  }

  private whyNoRestart({ atNs }: Trigger, verdict: Verdict): string | undefined {
    if (verdict === 'same' && this.last?.rung === 'restart') {
      return 'a restart did not help: the same failure came again';
    }
    const { maxRestarts, restartWindow } = this.options;
    const restarts = this.restarts.since(atNs - nanoseconds(restartWindow));
    if (restarts < maxRestarts) return undefined;
    return `${restarts} restarts within ${restartWindow} are as many as maxRestarts allows`;
  }

  private reportFailure(
    trigger: Trigger,
    attempts: readonly RungAttempt[],
    reason: string,
    givenUp: boolean,
  ): void {
    this.bus.topic('EVT_RECOVERYFAILED').publish({ atNs: trigger.atNs, trigger, attempts, reason, givenUp });
  }
}

/** What came again was in the checkpoint used before, so its latency is not what was declared. */
function riskOf(trigger: Trigger, { checkpoint }: Restored): Pick<RecoveryRecord, 'corruptionRisk'> {
  if (checkpoint === undefined) return {};
  const corruptionRisk = checkpointRisk(trigger, checkpoint.takenAtNs);
  return corruptionRisk === undefined ? {} : { corruptionRisk };
}

function hostNs(fromMs: number, toMs: number): Nanoseconds {
  return Math.round((toMs - fromMs) * 1e6);
}
