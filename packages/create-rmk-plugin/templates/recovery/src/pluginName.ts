import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  DETECTIONS,
  INSTALLATION_STATE,
  messageOf,
  nanoseconds,
  OPTIONS,
  P_VCPU,
  type Bus,
  type Checkpoints,
  type Clock,
  type Detections,
  type DomainRecovery,
  type InstallationState,
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
import { HISTORY, type History } from './history.js';
import type { PluginNameOptions } from './options.js';
import { PLUGINNAME_RESTARTS, type RestartCount } from './restartWatch.js';
import { retried } from './retried.js';
import { suspectSince, triggerOf } from './trigger.js';

/** What a rollback or a restart did. */
type Restored = Pick<
  RecoveryRecord,
  'rung' | 'checkpoint' | 'pagesRestored' | 'workLostNs' | 'outputStruckBytes'
>;

/**
 * Rolls a failed guest back to the newest checkpoint taken at or before it became suspect. If that is impossible or
 * fails, restarts the guest.
 */
@injectable()
export class PluginName implements DomainRecovery, Module {
  private readonly history: History;
  private restoring = false;
  /** Until the restored guest runs again. Never rejects. */
  private resuming: Promise<void> | undefined;
  private restoredAtNs: Nanoseconds = -1;
  /** Keeps a guest that was given up suspended. */
  private held: Suspension | undefined;
  private stopped = false;

  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(DETECTIONS) private readonly detections: Detections,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(PLUGINNAME_RESTARTS) private readonly restarts: RestartCount,
    @inject(OPTIONS) private readonly options: PluginNameOptions,
    @inject(INSTALLATION_STATE) kept: InstallationState,
  ) {
    this.history = kept.get(HISTORY);
  }

  async start(): Promise<void> {
    this.bus.on('EVT_ERRORDETECTED', (detected) => this.recover(detected));
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain());
    const { count } = this.restarts;
    if (count !== (this.history.restarts ?? count)) this.history.clear();
    this.history.restarts = count;
    if (!this.history.givenUp) return;
    // The kernel released the suspension when the plugin stopped.
    const suspension = await this.suspend();
    if (this.state === 'given-up') this.held = suspension;
    else await retried(() => this.vcpu.resume(suspension));
  }

  stop(): void {
    this.stopped = true;
  }

  get state(): DomainRecovery['state'] {
    if (this.history.givenUp) return 'given-up';
    return this.restoring || this.resuming !== undefined ? 'recovering' : 'ready';
  }

  /** Someone else restarted the guest: what failed before no longer counts, also if it had been given up. */
  private async beginAgain(): Promise<void> {
    this.history.restarts = this.restarts.count;
    if (this.restoring) return;
    this.restoredAtNs = -1;
    this.history.clear();
    const { held } = this;
    if (held === undefined) return;
    try {
      await retried(() => this.vcpu.resume(held));
      this.held = undefined;
    } catch (error) {
      this.history.givenUp = true;
      throw error;
    }
  }

  /** The VM is paused until the promise settles, if the driver can do that. */
  private async recover(detected: RmkEvent<'EVT_ERRORDETECTED'>): Promise<void> {
    const trigger = triggerOf(detected, this.clock.now());
    if (this.isDiscarded(trigger)) return;
    // It concerns the restored state if it comes while that is resumed.
    if (this.resuming !== undefined) await this.resuming;
    if (this.state !== 'ready') return;
    this.restoring = true;
    try {
      await this.restore(trigger);
    } finally {
      this.restoring = false;
    }
    await this.resuming;
  }

  /** Detected in the state that is being, or has just been, discarded. */
  private isDiscarded({ atNs }: RecoveryTrigger): boolean {
    if (this.resuming !== undefined) return atNs < this.restoredAtNs;
    return this.restoring || atNs <= this.restoredAtNs;
  }

  private async restore(trigger: RecoveryTrigger): Promise<void> {
    const attempts: RungAttempt[] = [];
    const startedAt = performance.now();
    let suspension: Suspension;
    try {
      suspension = await this.suspend();
    } catch (error) {
      this.reportFailure(trigger, attempts, `the VM could not be suspended: ${messageOf(error)}`, false);
      return;
    }
    const suspendedAt = performance.now();
    const restored =
      this.isExhausted(trigger.atNs) ??
      (await this.rollBack(trigger, attempts)) ??
      (await this.restart(attempts));
    if (typeof restored === 'string') {
      this.giveUp(suspension, trigger, attempts, restored);
      return;
    }
    this.restoredAtNs = this.clock.now();
    this.history.recoveredAtNs = [...this.history.recoveredAtNs, trigger.atNs];
    const restoredAt = performance.now();
    this.resuming = this.resume(suspension, trigger, attempts, (resumedAt) => ({
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
    }));
  }

  private suspend(): Promise<Suspension> {
    return retried(() => this.vcpu.suspend());
  }

  private async resume(
    suspension: Suspension,
    trigger: RecoveryTrigger,
    attempts: readonly RungAttempt[],
    record: (resumedAt: number) => RecoveryRecord,
  ): Promise<void> {
    try {
      await retried(() => this.vcpu.resume(suspension));
      const { atNs } = trigger;
      this.bus.topic('EVT_RECOVERED').publish({ atNs, record: record(performance.now()) });
    } catch (error) {
      // Whether P_VCPU has released the suspension is unknown.
      const held = await this.suspend().catch(() => suspension);
      if (held !== suspension) suspension[Symbol.dispose]();
      this.giveUp(held, trigger, attempts, `the VM could not be resumed: ${messageOf(error)}`);
    } finally {
      this.resuming = undefined;
    }
  }

  /** Why the guest is not recovered once more. */
  private isExhausted(atNs: Nanoseconds): string | undefined {
    const { maxRecoveries, recoveryWindow } = this.options;
    const since = atNs - nanoseconds(recoveryWindow);
    this.history.recoveredAtNs = this.history.recoveredAtNs.filter((recoveredAtNs) => recoveredAtNs > since);
    if (this.history.recoveredAtNs.length < maxRecoveries) return undefined;
    return `${maxRecoveries} recoveries within ${recoveryWindow} are as many as maxRecoveries allows`;
  }

  /** Undefined if there is no target, or the rollback failed. */
  private async rollBack(trigger: RecoveryTrigger, attempts: RungAttempt[]): Promise<Restored | undefined> {
    const { atNs, kind } = trigger;
    const suspectSinceNs = suspectSince(trigger, this.detections);
    // Newest first.
    const target = this.checkpoints.retained.find(({ takenAtNs }) => takenAtNs <= suspectSinceNs);
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

  /** The VM stays suspended until someone restarts it. */
  private giveUp(
    held: Suspension,
    trigger: RecoveryTrigger,
    attempts: readonly RungAttempt[],
    reason: string,
  ): void {
    // What failed because this plugin stops says nothing about the guest.
    if (this.stopped) return;
    this.held = held;
    this.history.givenUp = true;
    this.reportFailure(trigger, attempts, reason, true);
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

function hostNs(fromMs: number, toMs: number): Nanoseconds {
  return Math.round((toMs - fromMs) * 1e6);
}
