import type { Checkpointed, Domain, EpochPlan, RollbackTarget, RolledBack } from '@rmk/core';
import type { ExperimentMachine, Snapshot } from './experimentMachine.js';

/** What the protected run has besides the guest: for faults of RMK itself, and for triggers that wait for it. */
export interface ProtectionTarget {
  readonly domain: Domain;
  /** What the driver has handed out and RMK has not released, newest first. */
  checkpoints(): Promise<readonly Checkpointed[]>;
  /** Called in the middle of a checkpoint: the driver has taken it, and the agent does not have it yet. */
  onCheckpoint(act: () => Promise<void>): void;
  /** Called in the middle of a rollback: the VM is suspended, the target chosen, and nothing restored yet. */
  onRollback(act: () => Promise<void>): void;
}

/** Stands between RMK and the machine, and does nothing unless it is asked. */
export class WatchedMachine<M extends ExperimentMachine<Snapshot>> {
  /** What the domain is given in place of the machine. */
  readonly face: M;
  /** Newest first. Which of them are released is found out when somebody asks: a protected run is timed. */
  private taken: Checkpointed[] = [];
  private atCheckpoint: (() => Promise<void>)[] = [];
  private atRollback: (() => Promise<void>)[] = [];

  constructor(private readonly machine: M) {
    const own: Readonly<Record<PropertyKey, unknown>> = {
      checkpoint: (plan: EpochPlan) => this.checkpoint(plan),
      rollback: (to: RollbackTarget, plan: EpochPlan) => this.rollback(to, plan),
    };
    this.face = new Proxy(machine, {
      get: (target, key) => {
        if (key in own) return own[key];
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  targetIn(domain: Domain): ProtectionTarget {
    return {
      domain,
      checkpoints: () => this.live(),
      onCheckpoint: (act) => void this.atCheckpoint.push(act),
      onRollback: (act) => void this.atRollback.push(act),
    };
  }

  private async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    const done = await this.machine.checkpoint(plan);
    this.taken.unshift(done);
    for (const act of this.atCheckpoint) await act();
    return done;
  }

  private async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    for (const act of this.atRollback) await act();
    const done = await this.machine.rollback(to, plan);
    this.taken.unshift(done);
    return done;
  }

  private async live(): Promise<readonly Checkpointed[]> {
    const live: Checkpointed[] = [];
    for (const checkpointed of this.taken) {
      // A log that was released can no longer be asked.
      const isLive = await checkpointed.log.frames().then(
        () => true,
        () => false,
      );
      if (isLive) live.push(checkpointed);
    }
    this.taken = [...live];
    return live;
  }
}
