import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  DETECTIONS,
  messageOf,
  nanoseconds,
  OPTIONS,
  P_PTABLE,
  RmkError,
  type Bus,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Checkpoints,
  type Clock,
  type Detections,
  type EpochPlan,
  type EpochReport,
  type Module,
  type Nanoseconds,
  type PageTablePin,
  type Rollback,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { CheckpointOptions } from './options.js';
import { Ring } from './ring.js';

const FEWEST_RETAINED = 2;
const NOTHING_AHEAD: EpochPlan = { preSave: 'none' };
const NO_ALGORITHM = 'no checkpoint algorithm is installed any more';

interface NextPlan {
  readonly plan: EpochPlan;
  /** The name of the algorithm whose plan it is. */
  readonly algorithm: string;
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

  use(algorithm: CheckpointAlgorithm): Disposable {
    this.algorithms = [...this.algorithms, algorithm];
    if (this.algorithms.length === 1) this.schedule(0);
    return { [Symbol.dispose]: () => this.drop(algorithm) };
  }

  take(): Promise<Checkpoint> {
    return this.inTurn(() => this.takeNow('request'));
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

  private async takeNow(origin: 'interval' | 'request'): Promise<Checkpoint> {
    const { plan, algorithm } = this.requirePlan();
    try {
      const taken = await this.pageTable.checkpoint(plan);
      const checkpoint = this.ring.add(taken, this.ring.length === 0 ? 'first' : origin, this.retain);
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

  private async rollbackNow(to: Checkpoint): Promise<Rollback> {
    const path = this.ring.pathTo(to);
    if (path === undefined) {
      throw new RmkError(
        'RMK_ERR_UNPROTECTED',
        'the checkpoint to roll back to is not retained (any more); choose one of `retained`',
      );
    }
    // An algorithm that learns from history starts anew: what it learned from has not happened.
    const next = this.planNext([]);
    const done = await this.pageTable.rollback(path, next?.plan ?? NOTHING_AHEAD);
    this.history = [];
    const { pagesRestored, undoneNs, outputStruckBytes, atNs } = done;
    const reopened = this.ring.rewind(to, done);
    const rollback = { pagesRestored, undoneNs, outputStruckBytes, reopened };
    if (this.algorithms.length > 0) this.schedule(this.intervalNs);
    this.bus.topic('EVT_ROLLEDBACK').publish({ atNs, to, rollback });
    // The VM is saved, and no checkpoint will follow.
    if (next === undefined) this.loseAll(NO_ALGORITHM);
    return rollback;
  }

  /** The plan for a checkpoint. Without an algorithm there is none, and protection ends where it stood. */
  private requirePlan(): NextPlan {
    const wanted = this.algorithms.length > 0 || this.ring.length > 0;
    const next = this.planNext(this.history);
    if (next !== undefined) return next;
    if (wanted) this.loseAll(NO_ALGORITHM);
    throw new RmkError('RMK_ERR_UNPROTECTED', 'no checkpoint algorithm is installed; install cowb or cowp');
  }

  /** The plan of the latest algorithm; one that throws gives way to the one before. Undefined where none is left. */
  private planNext(history: readonly EpochReport[]): NextPlan | undefined {
    for (;;) {
      const algorithm = this.algorithms.at(-1);
      if (algorithm === undefined) return undefined;
      try {
        return { plan: algorithm.plan(history), algorithm: algorithm.name };
      } catch (error) {
        this.algorithms = this.algorithms.filter((other) => other !== algorithm);
        this.bus.topic('EVT_MODULEFAULT').publish({
          atNs: this.clock.now(),
          plugin: algorithm.name,
          during: 'plan',
          occurrence: 0,
          error,
          faults: 1,
        });
      }
    }
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
