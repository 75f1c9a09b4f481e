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
  type Checkpoint,
  type Checkpoints,
  type Clock,
  type Detections,
  type DomainRecovery,
  type InstallationState,
  type Module,
  type Nanoseconds,
  type RecoveryRecord,
  type RmkEvent,
  type RungAttempt,
  type Suspension,
  type VcpuPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { climb } from './climb.js';
import { Episode, type Failure, type Verdict } from './episode.js';
import { HISTORY, type GivenUp, type History } from './history.js';
import { ladderAgain, ladderFor, suspectSince, type Ladder } from './ladder.js';
import type { RecoveryOptions } from './options.js';
import { recordOf, type Moments, type Restored, type Succeeded } from './record.js';
import { VM_RESTARTS, type VmRestarts } from './restartWatch.js';
import { RetryingVcpu } from './retryingVcpu.js';
import { TriggerReader, type Trigger } from './trigger.js';

type LastRecovery = Pick<RecoveryRecord, 'rung' | 'occurrence'>;

/**
 * The recovery module (§8): suspends the failed VM, rolls it back in place, resumes it. If the same failure comes again
 * it climbs the ladder: older checkpoints, a restart of VM and job, and then it gives up.
 */
@injectable()
export class Recovery implements DomainRecovery, Module {
  private readonly triggers: TriggerReader;
  private readonly retryingVcpu: RetryingVcpu;
  private readonly history: History;
  private readonly episode = new Episode();
  private last: LastRecovery | undefined;
  /** The checkpoint that the last rollback reopened: it holds the state that this left. */
  private left: Checkpoint | undefined;
  /** Domain time at which the VM was restored to that state. */
  private restoredAtNs: Nanoseconds | undefined;
  /** Guest time of that state. */
  private leftAtNs: Nanoseconds | undefined;
  /** Domain time minus guest time. */
  private undoneNs: Nanoseconds = 0;
  /** From the suspension of the failed VM until it is restored. */
  private restoring = false;
  /** Until the restored VM runs again. Never rejects. */
  private resuming: Promise<void> | undefined;
  /** Keeps a VM that was given up suspended. */
  private held: Suspension | undefined;
  private stopped = false;

  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(DETECTIONS) detections: Detections,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(VM_RESTARTS) private readonly vmRestarts: VmRestarts,
    @inject(OPTIONS) private readonly options: RecoveryOptions,
    @inject(INSTALLATION_STATE) kept: InstallationState,
  ) {
    this.triggers = new TriggerReader(detections, bus);
    this.retryingVcpu = new RetryingVcpu(vcpu, bus, clock);
    this.history = kept.get(HISTORY);
  }

  async start(): Promise<void> {
    this.bus.on('EVT_ERRORDETECTED', (detected) => this.recover(detected));
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => this.beginAgain(atNs));
    this.bus.on('EVT_VMREBOOTED', () => this.forgetFailures());
    this.bus.on('EVT_ROLLEDBACK', ({ rollback }) => {
      this.undoneNs += rollback.undoneNs;
    });
    const { count } = this.vmRestarts;
    if (count !== (this.history.vmRestarts ?? count)) this.history.clear();
    this.history.vmRestarts = count;
    if (this.history.givenUp === undefined) return;
    // Its suspension ended with the previous instance of this plugin.
    const suspension = await this.retryingVcpu.suspend();
    if (this.state === 'given-up') this.held = suspension;
    else await this.retryingVcpu.resume(suspension);
  }

  stop(): void {
    this.stopped = true;
  }

  get state(): DomainRecovery['state'] {
    if (this.history.givenUp !== undefined) return 'given-up';
    return this.restoring || this.resuming !== undefined ? 'recovering' : 'ready';
  }

  private async beginAgain(atNs: Nanoseconds): Promise<void> {
    this.undoneNs = atNs;
    this.history.vmRestarts = this.vmRestarts.count;
    if (this.restoring) return;
    // Someone else restarted the VM.
    this.forgetFailures();
    this.restoredAtNs = undefined;
    const { held } = this;
    const { givenUp } = this.history;
    this.held = undefined;
    this.history.clear();
    if (givenUp !== undefined && held !== undefined) await this.release(held, givenUp);
  }

  /** What failed before the guest booted again no longer counts. */
  private forgetFailures(): void {
    this.last = undefined;
    this.left = undefined;
    this.leftAtNs = undefined;
    this.episode.clear();
  }

  /** Resumes a VM that was given up and has been restarted. */
  private async release(held: Suspension, givenUp: GivenUp): Promise<void> {
    try {
      await this.retryingVcpu.resume(held);
    } catch (error) {
      const reason = `the VM was restarted, but could not be resumed: ${messageOf(error)}`;
      await this.giveUpSuspended(givenUp, reason, held);
    }
  }

  private async recover(detected: RmkEvent<'EVT_ERRORDETECTED'>): Promise<void> {
    const trigger = this.triggers.read(detected, this.clock.now());
    if (this.isDiscarded(trigger)) return;
    // A driver that cannot hold its VM may report an error of the restored state together with the response to resume.
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

  /** Whether the error was detected in the state that is being, or has just been, discarded: nothing new. */
  private isDiscarded({ atNs }: Trigger): boolean {
    const { restoredAtNs = -1 } = this;
    // Domain time may not pass before P_VCPU has the response to resume.
    if (this.resuming !== undefined) return atNs < restoredAtNs;
    return this.restoring || atNs <= restoredAtNs;
  }

  /** Restores the VM and begins to resume it, or reports why not. */
  private async restore(trigger: Trigger): Promise<void> {
    const attempts: RungAttempt[] = [];
    const startedAt = performance.now();
    let suspension: Suspension;
    try {
      suspension = await this.retryingVcpu.suspend();
    } catch (error) {
      // The VM runs on, so the next detection finds the recovery ready.
      const reason = `the VM could not be suspended: ${messageOf(error)}`;
      this.reportFailure({ trigger, attempts }, reason, false);
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
      this.giveUp({ trigger, attempts }, restored, suspension);
      return;
    }
    this.last = { rung: restored.rung, occurrence };
    this.restoredAtNs = this.clock.now();
    this.leftAtNs = this.restoredAtNs - this.undoneNs;
    const moments = { startedAt, suspendedAt, restoredAt: performance.now() };
    this.resuming = this.resume(suspension, { trigger, attempts, occurrence, restored }, moments);
  }

  private async resume(
    suspension: Suspension,
    succeeded: Succeeded,
    moments: Omit<Moments, 'resumedAt'>,
  ): Promise<void> {
    try {
      await this.retryingVcpu.resume(suspension);
      const record = recordOf(succeeded, { ...moments, resumedAt: performance.now() });
      this.bus.topic('EVT_RECOVERED').publish({ atNs: succeeded.trigger.atNs, record });
    } catch (error) {
      const reason = `the VM was recovered, but could not be resumed: ${messageOf(error)}`;
      await this.giveUpSuspended(succeeded, reason, suspension);
    } finally {
      this.resuming = undefined;
    }
  }

  /** Gives up a VM that could not be resumed. Whether P_VCPU has released `suspension` is unknown. */
  private async giveUpSuspended(givenUp: GivenUp, reason: string, suspension: Suspension): Promise<void> {
    // Without a suspension another plugin could resume the VM, and errors are ignored from now on.
    const held = await this.retryingVcpu.suspend().catch(() => undefined);
    if (held !== undefined) suspension[Symbol.dispose]();
    this.giveUp(givenUp, reason, held ?? suspension);
  }

  /** The VM stays suspended until someone restarts it. */
  private giveUp({ trigger, attempts }: GivenUp, reason: string, held: Suspension): void {
    // What failed because this plugin stops says nothing about the VM.
    if (this.stopped) return;
    this.history.givenUp = { trigger, attempts };
    this.held = held;
    this.reportFailure({ trigger, attempts }, reason, true);
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
    const done = await climb(this.checkpoints, this.ladder(trigger, verdict), trigger, attempts);
    if (done !== undefined) this.left = done.reopened;
    return done?.restored;
  }

  private ladder(trigger: Trigger, verdict: Verdict): Ladder {
    const { retained } = this.checkpoints;
    if (verdict !== 'same') return ladderFor(retained, suspectSince(trigger));
    if (this.last?.rung !== 'restart') return ladderAgain(retained, this.left);
    return { candidates: [], newer: [], noTargetBecause: 'the same failure again, after a restart' };
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
    this.history.restarts.add(trigger.atNs);
    return { rung: 'restart', pagesRestored: 0 };
  }

  private whyNoRestart({ atNs }: Trigger, verdict: Verdict): string | undefined {
    if (verdict === 'same' && this.last?.rung === 'restart') {
      return 'a restart did not help: the same failure came again';
    }
    const { maxRestarts, restartWindow } = this.options;
    const restarts = this.history.restarts.since(atNs - nanoseconds(restartWindow));
    if (restarts < maxRestarts) return undefined;
    return `${restarts} restarts within ${restartWindow} are as many as maxRestarts allows`;
  }

  private reportFailure({ trigger, attempts }: GivenUp, reason: string, givenUp: boolean): void {
    const { atNs } = trigger;
    this.bus.topic('EVT_RECOVERYFAILED').publish({ atNs, trigger, attempts, reason, givenUp });
  }
}
