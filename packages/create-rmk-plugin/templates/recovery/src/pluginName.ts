import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  messageOf,
  nanoseconds,
  OPTIONS,
  P_VCPU,
  type Bus,
  type Checkpoint,
  type Checkpoints,
  type DomainRecovery,
  type Module,
  type Nanoseconds,
  type RecoveryRecord,
  type RecoveryTrigger,
  type RmkEvent,
  type RungAttempt,
  type Suspension,
  type VcpuPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { PluginNameOptions } from './options.js';

/** What a rollback or a restart did. */
type Restored = Pick<
  RecoveryRecord,
  'rung' | 'checkpoint' | 'pagesRestored' | 'workLostNs' | 'outputStruckBytes'
>;

/**
 * Rolls a failed guest back to the newest checkpoint from before it was suspect, and never to the newest of all, which
 * the error may have reached. If that is impossible or fails, restarts the guest.
 */
@injectable()
export class PluginName implements DomainRecovery, Module {
  private recovering = false;
  /** Keeps a guest that was given up suspended. */
  private givenUp: Suspension | undefined;
  private lastAtNs: Nanoseconds = -1;
  /** Domain times of the recoveries that still count. */
  private recoveredAtNs: readonly Nanoseconds[] = [];

  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: PluginNameOptions,
  ) {}

  start(): void {
    this.bus.on('EVT_ERRORDETECTED', (detected) => this.recover(detected));
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain());
  }

  get state(): DomainRecovery['state'] {
    if (this.givenUp !== undefined) return 'given-up';
    return this.recovering ? 'recovering' : 'ready';
  }

  /** Someone else restarted the guest: what failed before no longer counts, also if it had been given up. */
  private async beginAgain(): Promise<void> {
    if (this.recovering) return;
    this.recoveredAtNs = [];
    const { givenUp } = this;
    this.givenUp = undefined;
    if (givenUp !== undefined) await this.vcpu.resume(givenUp);
  }

  /** The VM is paused until the promise settles. */
  private async recover(detected: RmkEvent<'EVT_ERRORDETECTED'>): Promise<void> {
    const { atNs, kind, cause, source, suspectSinceNs } = detected;
    // Detected in the state that is being, or has just been, discarded.
    if (this.state !== 'ready' || atNs <= this.lastAtNs) return;
    const suspect = suspectSinceNs === undefined ? {} : { suspectSinceNs };
    const trigger: RecoveryTrigger = { kind, cause, atNs, detector: source, ...suspect };
    const attempts: RungAttempt[] = [];
    this.recovering = true;
    this.lastAtNs = atNs;
    try {
      await this.restore(trigger, attempts);
    } catch (error) {
      this.reportFailure(
        trigger,
        attempts,
        `the VM could not be suspended or resumed: ${messageOf(error)}`,
        false,
      );
    } finally {
      this.recovering = false;
    }
  }

  private async restore(trigger: RecoveryTrigger, attempts: RungAttempt[]): Promise<void> {
    const startedAt = performance.now();
    const suspension = await this.vcpu.suspend();
    const suspendedAt = performance.now();
    const restored =
      this.isExhausted(trigger.atNs) ??
      (await this.rollBack(trigger, attempts)) ??
      (await this.restart(attempts));
    if (typeof restored === 'string') {
      this.givenUp = suspension;
      this.reportFailure(trigger, attempts, restored, true);
      return;
    }
    this.recoveredAtNs = [...this.recoveredAtNs, trigger.atNs];
    const restoredAt = performance.now();
    await this.vcpu.resume(suspension);
    const resumedAt = performance.now();
    const record: RecoveryRecord = {
      trigger,
      ...restored,
      attempts,
      occurrence: 1,
      steps: {
        suspendHostNs: hostNs(startedAt, suspendedAt),
        rollbackHostNs: hostNs(suspendedAt, restoredAt),
        resumeHostNs: hostNs(restoredAt, resumedAt),
      },
      durationHostNs: hostNs(startedAt, resumedAt),
    };
    this.bus.topic('EVT_RECOVERED').publish({ atNs: trigger.atNs, record });
  }

  /** Why the guest is not recovered once more. */
  private isExhausted(atNs: Nanoseconds): string | undefined {
    const { maxRecoveries, recoveryWindow } = this.options;
    const since = atNs - nanoseconds(recoveryWindow);
    this.recoveredAtNs = this.recoveredAtNs.filter((recoveredAtNs) => recoveredAtNs > since);
    if (this.recoveredAtNs.length < maxRecoveries) return undefined;
    return `${maxRecoveries} recoveries within ${recoveryWindow} are as many as maxRecoveries allows`;
  }

  /** Undefined if there is no target, or the rollback failed. */
  private async rollBack(trigger: RecoveryTrigger, attempts: RungAttempt[]): Promise<Restored | undefined> {
    const { atNs, kind, suspectSinceNs = atNs } = trigger;
    const target = targetOf(this.checkpoints.retained, suspectSinceNs);
    this.bus
      .topic('EVT_PLUGINNAMEDECIDED')
      .publish({ atNs, kind, ...(target === undefined ? {} : { takenAtNs: target.takenAtNs }) });
    if (target === undefined) {
      attempts.push({ rung: 'target', failure: 'no retained checkpoint is old enough' });
      return undefined;
    }
    const { takenAtNs, origin } = target;
    try {
      const { pagesRestored, undoneNs, outputStruckBytes } = await this.checkpoints.rollback(target);
      attempts.push({ rung: 'target', takenAtNs });
      return {
        rung: 'target',
        checkpoint: { takenAtNs, origin, ageNs: atNs - takenAtNs },
        pagesRestored,
        workLostNs: undoneNs,
        outputStruckBytes,
      };
    } catch (error) {
      attempts.push({ rung: 'target', takenAtNs, failure: messageOf(error) });
      return undefined;
    }
  }

  /** The reason if the restart failed too. */
  private async restart(attempts: RungAttempt[]): Promise<Restored | string> {
    try {
      await this.vcpu.restart();
      attempts.push({ rung: 'restart' });
      return { rung: 'restart', pagesRestored: 0 };
    } catch (error) {
      const failure = messageOf(error);
      attempts.push({ rung: 'restart', failure });
      return failure;
    }
  }

  private reportFailure(
    trigger: RecoveryTrigger,
    attempts: readonly RungAttempt[],
    reason: string,
    givenUp: boolean,
  ): void {
    this.bus.topic('EVT_RECOVERYFAILED').publish({ atNs: trigger.atNs, trigger, attempts, reason, givenUp });
  }
}

/** `retained`: newest first. */
function targetOf(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds): Checkpoint | undefined {
  return retained.find(({ takenAtNs }, age) => age > 0 && takenAtNs <= suspectSinceNs);
}

function hostNs(fromMs: number, toMs: number): Nanoseconds {
  return Math.round((toMs - fromMs) * 1e6);
}
