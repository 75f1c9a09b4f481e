import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  DETECTIONS,
  hasCode,
  messageOf,
  nanoseconds,
  OPTIONS,
  P_PTABLE,
  RmkError,
  type Bus,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Checkpointed,
  type Checkpoints,
  type Clock,
  type Detections,
  type EpochPlan,
  type EpochReport,
  type Module,
  type Nanoseconds,
  type PageTablePin,
  type Rollback,
  type RollbackTarget,
  type RolledBack,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { CheckpointOptions } from './options.js';
import { readPlan } from './plan.js';
import { Ring } from './ring.js';

const FEWEST_RETAINED = 2;
const NO_PRESAVE: EpochPlan = { preSave: 'none' };
const NO_ALGORITHM = 'no checkpoint algorithm is installed any more';

interface NextPlan {
  readonly plan: EpochPlan;
  readonly by: CheckpointAlgorithm;
}

/**
 * The checkpoint agent of one domain (§3): takes a checkpoint each interval, keeps the ring, rolls back. What is saved
 * ahead is the installed algorithm's to say, where the bytes lie the driver's, and which checkpoint to go to the caller's.
 */
@injectable()
export class CheckpointAgent implements Checkpoints, Module {
  readonly intervalNs: Nanoseconds;
  private readonly ring = new Ring();
  private algorithms: readonly CheckpointAlgorithm[] = [];
  /** How often each algorithm has failed. */
  private readonly failures = new WeakMap<CheckpointAlgorithm, number>();
  private history: readonly EpochReport[] = [];
  private next: Disposable | undefined;
  private unprotectedSinceNs: Nanoseconds | undefined;
  /** Checkpoints and rollbacks wait for each other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    @inject(P_PTABLE) private readonly pageTable: PageTablePin,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(BUS) private readonly bus: Bus,
    @inject(DETECTIONS) private readonly detections: Detections,
    @inject(OPTIONS) private readonly options: CheckpointOptions,
  ) {
    this.intervalNs = nanoseconds(options.interval);
  }

  start(): void {
    this.bus.on('EVT_LOGLOST', ({ reason }) => this.loseAll(reason));
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain());
  }

  async stop(): Promise<void> {
    this.algorithms = [];
    await this.last;
    this.next?.[Symbol.dispose]();
    this.ring.clear();
  }

  get retained(): readonly Checkpoint[] {
    return this.ring.newestFirst;
  }

  get retain(): number {
    const { retain } = this.options;
    if (retain !== undefined) return retain;
    return Math.max(FEWEST_RETAINED, Math.ceil(this.detections.longestBoundNs / this.intervalNs) + 1);
  }

  /** How far back the ring has to reach, however many checkpoints were asked for in between. */
  private get reachNs(): Nanoseconds {
    return this.options.retain === undefined ? this.detections.longestBoundNs : 0;
  }

  use(algorithm: CheckpointAlgorithm): Disposable {
    refuseNoAlgorithm(algorithm);
    this.algorithms = [...this.algorithms, algorithm];
    if (this.algorithms.length === 1) this.schedule(0);
    return { [Symbol.dispose]: () => this.drop(algorithm) };
  }

  async take(): Promise<Checkpoint> {
    const taken = await this.inTurn(() => this.takeNow('request'));
    if (taken !== undefined) return taken;
    throw new RmkError('RMK_ERR_UNPROTECTED', 'no checkpoint algorithm gives a plan; install cowb or cowp');
  }

  rollback(to: Checkpoint): Promise<Rollback> {
    return this.inTurn(() => this.rollbackNow(to));
  }

  private inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.last.then(operation);
    this.last = result.catch(() => undefined);
    return result;
  }

  private schedule(delayNs: Nanoseconds): void {
    this.next?.[Symbol.dispose]();
    this.next = this.clock.after(delayNs, async () => {
      await this.inTurn(() => this.takeNow('interval'));
    });
  }

  private async takeNow(origin: 'interval' | 'request'): Promise<Checkpoint | undefined> {
    const next = this.planNext(this.history);
    if (next === undefined) {
      this.withoutPlan();
      return undefined;
    }
    try {
      const { taken, algorithm } = await this.checkpoint(next);
      this.checkContinuity(taken);
      const checkpoint = this.ring.add(
        taken,
        this.ring.length === 0 ? 'first' : origin,
        this.retain,
        this.reachNs,
      );
      const { atNs, closed } = taken;
      if (closed !== undefined) this.history = [closed, ...this.history].slice(0, this.retain);
      this.bus
        .topic('EVT_CHECKPOINTED')
        .publish({ atNs, checkpoint, algorithm, ...(closed === undefined ? {} : { closed }) });
      this.protectionStands();
      return checkpoint;
    } catch (error) {
      // What failed in the middle of a checkpoint may have left the ring and the driver apart: trust neither.
      this.loseAll(`a checkpoint failed: ${messageOf(error)}`);
      throw error;
    } finally {
      if (this.algorithms.length > 0) this.schedule(this.intervalNs);
    }
  }

  /**
   * Takes a checkpoint according to the plan. If the log area is full, drops the oldest checkpoints until two remain. If
   * the driver rejects the plan, or it still does not fit, takes the checkpoint without pre-saving.
   */
  private async checkpoint({
    plan,
    by,
  }: NextPlan): Promise<{ readonly taken: Checkpointed; readonly algorithm: string }> {
    for (;;) {
      try {
        return { taken: await this.pageTable.checkpoint(plan), algorithm: by.name };
      } catch (error) {
        if (hasCode(error, 'RMK_ERR_LOGFULL')) {
          if (this.giveUpOldest(messageOf(error))) continue;
        } else if (hasCode(error, 'RMK_ERR_INPUT', 'RMK_ERR_ADDRESS')) {
          this.algorithmFailed(by, error);
        } else {
          throw error;
        }
        return { taken: await this.pageTable.checkpoint(NO_PRESAVE), algorithm: by.name };
      }
    }
  }

  /** Where someone else has called P_PTABLE in the meantime, what is retained does not lead up to now. */
  private checkContinuity({ closed }: Checkpointed): void {
    const newest = this.ring.newestFirst[0];
    if (newest === undefined || closed?.openedAtNs === newest.takenAtNs) return;
    this.loseAll('another one than the agent has taken a checkpoint or rolled back by P_PTABLE');
  }

  private giveUpOldest(reason: string): boolean {
    if (this.ring.length < FEWEST_RETAINED) return false;
    this.ring.releaseOldest();
    this.bus.topic('EVT_CHECKPOINTLOST').publish({ atNs: this.clock.now(), reason, checkpoints: 1 });
    return true;
  }

  private async rollbackNow(to: Checkpoint): Promise<Rollback> {
    const path = this.ring.pathTo(to);
    if (path === undefined) {
      throw new RmkError(
        'RMK_ERR_UNPROTECTED',
        'the checkpoint to roll back to is not retained (any more); choose one of `retained`',
      );
    }
    const done = await this.rollBackAlong(path);
    this.history = [];
    const { pagesRestored, undoneNs, outputStruckBytes, atNs } = done;
    const reopened = this.ring.rewind(to, done);
    const rollback = { pagesRestored, undoneNs, outputStruckBytes, reopened };
    if (this.algorithms.length > 0) this.schedule(this.intervalNs);
    this.bus.topic('EVT_ROLLEDBACK').publish({ atNs, to, rollback });
    return rollback;
  }

  /** A rollback never fails because of a plan. */
  private async rollBackAlong(path: RollbackTarget): Promise<RolledBack> {
    // An algorithm that learns from history starts again: what it learned from has not happened.
    const next = this.planNext([]);
    if (next === undefined) return this.pageTable.rollback(path, NO_PRESAVE);
    try {
      return await this.pageTable.rollback(path, next.plan);
    } catch (error) {
      if (!hasCode(error, 'RMK_ERR_INPUT', 'RMK_ERR_ADDRESS')) throw error;
      this.algorithmFailed(next.by, error);
      return this.pageTable.rollback(path, NO_PRESAVE);
    }
  }

  /** The plan of the latest algorithm; one that throws gives way to the one before. Undefined where none is left. */
  private planNext(history: readonly EpochReport[]): NextPlan | undefined {
    for (const by of this.algorithms.toReversed()) {
      try {
        const given: unknown = by.plan(history);
        return { plan: this.planOf(given, by), by };
      } catch (error) {
        this.algorithmFailed(by, error);
      }
    }
    return undefined;
  }

  /** What is no plan is like one that the driver refuses. */
  private planOf(given: unknown, by: CheckpointAlgorithm): EpochPlan {
    try {
      return readPlan(given, by.name);
    } catch (error) {
      this.algorithmFailed(by, error);
      return NO_PRESAVE;
    }
  }

  /** Reported as the algorithm's. The only one there is gets another chance at the next interval. */
  private algorithmFailed(algorithm: CheckpointAlgorithm, error: unknown): void {
    const faults = (this.failures.get(algorithm) ?? 0) + 1;
    this.failures.set(algorithm, faults);
    if (this.algorithms.length > 1) this.algorithms = this.algorithms.filter((other) => other !== algorithm);
    const atNs = this.clock.now();
    const plugin = algorithm.name;
    this.bus.topic('EVT_PLUGINFAULT').publish({ atNs, plugin, during: 'plan', occurrence: 0, error, faults });
  }

  private withoutPlan(): void {
    if (this.algorithms.length === 0) return;
    this.loseAll('the checkpoint algorithm failed');
    this.schedule(this.intervalNs);
  }

  private drop(algorithm: CheckpointAlgorithm): void {
    if (!this.algorithms.includes(algorithm)) return;
    this.algorithms = this.algorithms.filter((other) => other !== algorithm);
    if (this.algorithms.length === 0) this.loseAll(NO_ALGORITHM);
  }

  private loseAll(reason: string): void {
    const atNs = this.clock.now();
    const checkpoints = this.ring.clear();
    this.history = [];
    if (this.algorithms.length === 0) this.next?.[Symbol.dispose]();
    if (checkpoints > 0) this.bus.topic('EVT_CHECKPOINTLOST').publish({ atNs, reason, checkpoints });
    if (this.unprotectedSinceNs !== undefined) return;
    this.unprotectedSinceNs = atNs;
    this.bus.topic('EVT_PROTECTIONLOST').publish({ atNs, reason });
  }

  private protectionStands(): void {
    if (this.unprotectedSinceNs === undefined) return;
    const atNs = this.clock.now();
    const lostForNs = atNs - this.unprotectedSinceNs;
    this.unprotectedSinceNs = undefined;
    this.bus.topic('EVT_PROTECTIONRESTORED').publish({ atNs, lostForNs });
  }

  /** The VM starts from nothing: what was retained is of another life. */
  private async beginAgain(): Promise<void> {
    this.ring.clear();
    this.history = [];
    if (this.algorithms.length > 0) await this.inTurn(() => this.takeNow('interval'));
  }
}

function refuseNoAlgorithm(given: unknown): void {
  const isObject = typeof given === 'object' && given !== null;
  if (isObject && 'name' in given && typeof given.name === 'string') {
    if ('plan' in given && typeof given.plan === 'function') return;
  }
  throw new RmkError(
    'RMK_ERR_INPUT',
    'checkpoints.use: expected an algorithm, that is an object with a `name` and a method `plan`',
  );
}
