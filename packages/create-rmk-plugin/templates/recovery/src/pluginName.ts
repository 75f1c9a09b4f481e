import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  OPTIONS,
  P_VCPU,
  type Bus,
  type Checkpoint,
  type Checkpoints,
  type Module,
  type Nanoseconds,
  type RecoveryRecord,
  type RecoveryTrigger,
  type RmkEvent,
  type Suspension,
  type VcpuPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { PluginNameOptions } from './plugin.js';

/**
 * Takes a failed guest back to the newest checkpoint from before it was suspect, and never to the newest of all, which
 * the error may have reached. Where there is none, the guest is restarted.
 */
@injectable()
export class PluginName implements Module {
  private recoveries = 0;
  private recovering = false;
  private lastAtNs: Nanoseconds = -1;

  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: PluginNameOptions,
  ) {}

  start(): void {
    this.bus.on('EVT_ERRORDETECTED', (detected) => this.recover(detected));
  }

  /** The VM is held until the promise settles. */
  private async recover({
    atNs,
    kind,
    cause,
    source,
    suspectSinceNs,
  }: RmkEvent<'EVT_ERRORDETECTED'>): Promise<void> {
    // Detected in the state that is being, or has just been, given up.
    if (this.recovering || atNs <= this.lastAtNs) return;
    const trigger = {
      kind,
      cause,
      atNs,
      detector: source,
      ...(suspectSinceNs === undefined ? {} : { suspectSinceNs }),
    };
    this.recovering = true;
    this.lastAtNs = atNs;
    try {
      const suspension = await this.vcpu.suspend();
      // A VM that is given up stays suspended.
      if (this.recoveries === this.options.maxRecoveries) this.giveUp(trigger);
      else await this.rollBackOrRestart(trigger, suspension);
    } finally {
      this.recovering = false;
    }
  }

  private async rollBackOrRestart(trigger: RecoveryTrigger, suspension: Suspension): Promise<void> {
    this.recoveries += 1;
    const { atNs, kind } = trigger;
    const target = targetOf(this.checkpoints.retained, trigger.suspectSinceNs ?? atNs);
    this.bus
      .topic('EVT_PLUGINNAMEDECIDED')
      .publish({ atNs, kind, ...(target === undefined ? {} : { takenAtNs: target.takenAtNs }) });
    const startedAt = performance.now();
    const done = target === undefined ? await this.restart() : await this.rollBack(target, atNs);
    const rolledBackAt = performance.now();
    await this.vcpu.resume(suspension);
    const steps = {
      suspendHostNs: 0,
      rollbackHostNs: hostNs(startedAt, rolledBackAt),
      resumeHostNs: hostNs(rolledBackAt, performance.now()),
    };
    const durationHostNs = steps.rollbackHostNs + steps.resumeHostNs;
    const record: RecoveryRecord = { trigger, occurrence: 1, steps, durationHostNs, ...done };
    this.bus.topic('EVT_RECOVERED').publish({ atNs, record });
  }

  private async rollBack(target: Checkpoint, atNs: Nanoseconds) {
    const { takenAtNs, origin } = target;
    const { pagesRestored, undoneNs, outputStruckBytes } = await this.checkpoints.rollback(target);
    return {
      rung: 'target' as const,
      attempts: [{ rung: 'target' as const, takenAtNs }],
      checkpoint: { takenAtNs, origin, ageNs: atNs - takenAtNs },
      pagesRestored,
      workLostNs: undoneNs,
      outputStruckBytes,
    };
  }

  private async restart() {
    await this.vcpu.restart();
    return { rung: 'restart' as const, attempts: [{ rung: 'restart' as const }], pagesRestored: 0 };
  }

  private giveUp(trigger: RecoveryTrigger): void {
    const reason = `${this.recoveries} recoveries are as many as maxRecoveries allows`;
    this.bus
      .topic('EVT_RECOVERYFAILED')
      .publish({ atNs: trigger.atNs, trigger, attempts: [{ rung: 'target', failure: reason }], reason });
  }
}

/** `retained`: newest first. */
function targetOf(retained: readonly Checkpoint[], suspectSinceNs: Nanoseconds): Checkpoint | undefined {
  return retained.find(({ takenAtNs }, age) => age > 0 && takenAtNs <= suspectSinceNs);
}

function hostNs(fromMs: number, toMs: number): Nanoseconds {
  return Math.round((toMs - fromMs) * 1e6);
}
