import 'reflect-metadata';
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
  type Module,
  type Nanoseconds,
  type RecoveryRecord,
  type RecoveryTrigger,
  type RmkEvent,
  type Rollback,
  type RungAttempt,
  type VcpuPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { ladderAgain, ladderFor, type Candidate, type Ladder } from './ladder.js';
import type { RecoveryOptions } from './plugin.js';

type LastRecovery = Pick<RecoveryRecord, 'rung' | 'occurrence'> & { readonly atNs: Nanoseconds };

type Restored = Pick<
  RecoveryRecord,
  'rung' | 'checkpoint' | 'pagesRestored' | 'workLostNs' | 'outputStruckBytes'
>;

/**
 * The recovery module (§8): suspends the failed VM, rolls it back in place, lets it go on. For an error that comes
 * again before the ring has refilled it climbs: older checkpoints, a restart of VM and job, and then it gives up.
 */
@injectable()
export class Recovery implements Module {
  private last: LastRecovery | undefined;
  /** The checkpoint at the state that the last recovery left: what a rollback reopened, or the first after a restart. */
  private left: Checkpoint | undefined;
  private restarts: readonly Nanoseconds[] = [];
  private recovering = false;
  private gaveUp = false;
  /** Somebody else wants the VM to stand still: it is mended all the same, and left so. */
  private suspendedOutside = false;

  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(DETECTIONS) private readonly detections: Detections,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) private readonly options: RecoveryOptions,
  ) {}

  start(): void {
    this.bus.on('EVT_ERRORDETECTED', (detected) => this.recover(detected));
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain());
    this.bus.on('EVT_VCPUSUSPENDED', () => void (this.suspendedOutside ||= !this.recovering));
    this.bus.on('EVT_VCPURESUMED', () => void (this.suspendedOutside &&= this.recovering));
    this.bus.on('EVT_CHECKPOINTED', ({ checkpoint }) => {
      this.left ??= checkpoint;
    });
  }

  private beginAgain(): void {
    this.left = undefined;
    if (this.recovering) return;
    // Someone outside has taken the VM in hand: a new life, also where it had been given up.
    this.last = undefined;
    this.restarts = [];
    this.gaveUp = false;
  }

  private async recover(detected: RmkEvent<'EVT_ERRORDETECTED'>): Promise<void> {
    const trigger = triggerOf(detected, this.clock.now());
    // Detected in the state that is being, or has just been, given up: nothing new.
    if (this.recovering || this.gaveUp || trigger.atNs <= (this.last?.atNs ?? -1)) return;
    this.recovering = true;
    try {
      await this.climb(trigger);
    } catch (error) {
      this.giveUp(trigger, [], `the VM could not be suspended or resumed: ${messageOf(error)}`);
      throw error;
    } finally {
      this.recovering = false;
    }
  }

  private async climb(trigger: RecoveryTrigger): Promise<void> {
    const again = this.isSameError(trigger);
    const occurrence = again ? (this.last?.occurrence ?? 0) + 1 : 1;
    const attempts: RungAttempt[] = [];
    const startedAt = performance.now();
    await this.vcpu.suspend();
    const suspendedAt = performance.now();
    const restored =
      (await this.rollBack(trigger, again, attempts)) ?? (await this.restart(trigger, again, attempts));
    if (restored === undefined) return;
    const restoredAt = performance.now();
    if (!this.suspendedOutside) await this.vcpu.resume();
    const resumedAt = performance.now();

    this.last = { rung: restored.rung, atNs: trigger.atNs, occurrence };
    const record: RecoveryRecord = {
      trigger,
      ...restored,
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

  /**
   * Whether the error may have been there already in the state that the last recovery left: as long as the checkpoint
   * of that state is retained, and, should the ring reach back less far, for as long as the detector may take.
   */
  private isSameError({ kind, detector, atNs }: RecoveryTrigger): boolean {
    if (this.last === undefined) return false;
    if (this.left !== undefined && this.checkpoints.retained.includes(this.left)) return true;
    const bounds = this.detections.all
      .filter((detection) => detection.kind === kind && detection.plugin === detector)
      .map(({ boundNs }) => boundNs);
    return atNs - this.last.atNs <= Math.max(0, ...bounds);
  }

  private async rollBack(
    trigger: RecoveryTrigger,
    again: boolean,
    attempts: RungAttempt[],
  ): Promise<Restored | undefined> {
    const ladder = this.ladder(trigger, again);
    if (ladder.emptyBecause !== undefined) attempts.push({ rung: 'target', failure: ladder.emptyBecause });
    let damaged = false;
    for (const candidate of ladder.candidates) {
      const outcome = await this.tryCandidate(candidate, trigger, attempts);
      if (outcome !== 'failed' && outcome !== 'damaged') return outcome;
      damaged ||= outcome === 'damaged';
    }
    if (!damaged) return undefined;
    for (const candidate of ladder.newer) {
      const outcome = await this.tryCandidate(candidate, trigger, attempts);
      if (outcome !== 'failed' && outcome !== 'damaged') return outcome;
    }
    return undefined;
  }

  private ladder(trigger: RecoveryTrigger, again: boolean): Ladder {
    const { retained } = this.checkpoints;
    if (!again) return ladderFor(retained, trigger.suspectSinceNs);
    if (this.last?.rung !== 'restart') return ladderAgain(retained, this.left);
    return { candidates: [], newer: [], emptyBecause: 'the same error again, soon after a restart' };
  }

  private async tryCandidate(
    { rung, checkpoint }: Candidate,
    trigger: RecoveryTrigger,
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

  /** Undefined where that was refused or failed too: the VM stays suspended. */
  private async restart(
    trigger: RecoveryTrigger,
    again: boolean,
    attempts: RungAttempt[],
  ): Promise<Restored | undefined> {
    const refusal = this.whyNoRestart(trigger, again);
    if (refusal !== undefined) {
      attempts.push({ rung: 'restart', failure: refusal });
      this.giveUp(trigger, attempts, refusal);
      return undefined;
    }
    try {
      await this.vcpu.restart();
    } catch (error) {
      const failure = messageOf(error);
      attempts.push({ rung: 'restart', failure });
      this.giveUp(trigger, attempts, failure);
      return undefined;
    }
    attempts.push({ rung: 'restart' });
    this.restarts = [...this.restarts, trigger.atNs];
    return { rung: 'restart', pagesRestored: 0 };
  }

  private whyNoRestart(trigger: RecoveryTrigger, again: boolean): string | undefined {
    if (again && this.last?.rung === 'restart') return 'a restart did not help: the same error came again';
    const { maxRestarts, restartWindow } = this.options;
    const since = trigger.atNs - nanoseconds(restartWindow);
    this.restarts = this.restarts.filter((atNs) => atNs > since);
    if (this.restarts.length < maxRestarts) return undefined;
    return `${this.restarts.length} restarts within ${restartWindow} are as many as maxRestarts allows`;
  }

  private giveUp(trigger: RecoveryTrigger, attempts: readonly RungAttempt[], reason: string): void {
    this.gaveUp = true;
    this.bus.topic('EVT_RECOVERYFAILED').publish({ atNs: trigger.atNs, trigger, attempts, reason });
  }
}

/** A detector's times are not trusted: none lies in the future, and what is no time is none. */
function triggerOf(
  { kind, cause, atNs, source, suspectSinceNs }: RmkEvent<'EVT_ERRORDETECTED'>,
  nowNs: Nanoseconds,
): RecoveryTrigger {
  const detectedAtNs = Number.isFinite(atNs) ? Math.min(atNs, nowNs) : nowNs;
  const trigger = { kind, cause, atNs: detectedAtNs, detector: source };
  if (suspectSinceNs === undefined || !Number.isFinite(suspectSinceNs)) return trigger;
  return { ...trigger, suspectSinceNs: Math.min(suspectSinceNs, detectedAtNs) };
}

function hostNs(fromMs: number, toMs: number): Nanoseconds {
  return Math.round((toMs - fromMs) * 1e6);
}
