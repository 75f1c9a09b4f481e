import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  DETECTIONS,
  hasCode,
  messageOf,
  nanoseconds,
  OPTIONS,
  CHECKPOINTING,
  RmkError,
  Sequencer,
  type Bus,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Checkpointed,
  type CheckpointingPin,
  type Checkpoints,
  type Clock,
  type Detections,
  type EpochReport,
  type Module,
  type Nanoseconds,
  type RolledBack,
  type Rollback,
  type RollbackTarget,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { Algorithms, NO_PRESAVE, type NextPlan } from './algorithms.js';
import { historyShortfall } from './history.js';
import type { CheckpointOptions } from './options.js';
import { Ring } from './ring.js';
import { ACCEPTED_RISK, percent, risksOf } from './risk.js';

/** The dual-checkpoint scheme of §3. */
const FEWEST_RETAINED = 2;
/** However slow a detector is: each checkpoint costs log pages, and each rollback reads all their logs. */
const MOST_DERIVED = 256;
const NO_ALGORITHM = 'no checkpoint algorithm is installed any more';

/**
 * The checkpoint agent of one domain (§3): takes a checkpoint each interval, keeps the ring, rolls back. The installed
 * algorithm decides what is saved ahead, the driver where the bytes lie, and the caller which checkpoint to go to.
 */
@injectable()
export class CheckpointAgent implements Checkpoints, Module {
  readonly intervalNs: Nanoseconds;
  private readonly ring = new Ring();
  private readonly algorithms = new Algorithms();
  /**
   * Counts the times that everything retained was discarded: a checkpoint under way at such a time is discarded too.
   */
  private losses = 0;
  private history: readonly EpochReport[] = [];
  private next: Disposable | undefined;
  /** A first checkpoint is scheduled for now. */
  private isDue = false;
  /** The end of protection has been reported, and no checkpoint has been taken since. */
  private isUnprotected = false;
  /** The risks that were last warned of. */
  private risks: readonly string[] = [];
  /** What was last reported of a history that is too short. */
  private shortfall: string | undefined;
  /** Checkpoints and rollbacks wait for each other. */
  private readonly operations = new Sequencer();

  constructor(
    @inject(CHECKPOINTING) private readonly pin: CheckpointingPin,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(BUS) private readonly bus: Bus,
    @inject(DETECTIONS) private readonly detections: Detections,
    @inject(OPTIONS) private readonly options: CheckpointOptions,
  ) {
    this.intervalNs = nanoseconds(options.interval);
  }

  start(): void {
    this.bus.on('EVT_LOGLOST', ({ reason }) => this.loseAll(reason));
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain('the VM was restarted'));
    this.bus.on('EVT_VMREBOOTED', () => this.beginAgain('the guest reboots'));
    this.bus.on('EVT_PLUGINCHANGED', ({ to }) => {
      if (to !== 'starting' && to !== 'stopping') this.warnOfDetections();
    });
    this.warnOfDetections();
  }

  async stop(): Promise<void> {
    this.algorithms.clear();
    await this.operations.idle();
    this.next?.[Symbol.dispose]();
    this.ring.clear();
  }

  get retained(): readonly Checkpoint[] {
    return this.ring.newestFirst;
  }

  get retain(): number {
    const { retain } = this.options;
    if (retain !== undefined) return retain;
    const needed = Math.ceil(this.detections.longestBoundNs / this.intervalNs) + 1;
    return Math.min(MOST_DERIVED, Math.max(FEWEST_RETAINED, needed));
  }

  /** How far back the ring has to reach, however many checkpoints were requested in between. */
  private get reachNs(): Nanoseconds {
    if (this.options.retain !== undefined) return 0;
    return Math.min(this.detections.longestBoundNs, (MOST_DERIVED - 1) * this.intervalNs);
  }

  use(algorithm: CheckpointAlgorithm): Disposable {
    const use = this.algorithms.add(algorithm, () => {
      if (this.algorithms.installed === 0) this.loseAll(NO_ALGORITHM);
    });
    if (this.algorithms.installed === 1) this.schedule(0);
    return use;
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
    return this.operations.run(() => operation().finally(() => this.algorithms.reportFailures()));
  }

  private schedule(delayNs: Nanoseconds): void {
    this.next?.[Symbol.dispose]();
    this.isDue = delayNs === 0;
    this.next = this.clock.after(delayNs, async () => {
      this.isDue = false;
      await this.inTurn(() => this.takeNow('interval'));
    });
  }

  private async takeNow(origin: 'interval' | 'request'): Promise<Checkpoint | undefined> {
    const next = this.algorithms.planNext(this.history);
    if (next === undefined) {
      this.withoutPlan();
      return undefined;
    }
    const { losses } = this;
    try {
      const { taken, algorithm } = await this.checkpoint(next);
      if (losses !== this.losses) {
        release(taken);
        return undefined;
      }
      return this.keep(taken, origin, algorithm);
    } catch (error) {
      // A failed checkpoint can leave the ring and the driver inconsistent, so discard everything.
      this.loseAll(`a checkpoint failed: ${messageOf(error)}`);
      throw error;
    } finally {
      // A new algorithm has scheduled its first checkpoint already.
      if (this.algorithms.installed > 0 && !this.isDue) this.schedule(this.intervalNs);
    }
  }

  private keep(taken: Checkpointed, origin: 'interval' | 'request', algorithm: string): Checkpoint {
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
    this.isUnprotected = false;
    return checkpoint;
  }

  /**
   * Takes a checkpoint according to `plan`. If the log area is full, drops the oldest checkpoints until one remains.
   * If the driver rejects the plan, or it still does not fit, takes the checkpoint without pre-saving.
   */
  private async checkpoint({
    plan,
    by,
  }: NextPlan): Promise<{ readonly taken: Checkpointed; readonly algorithm: string }> {
    for (;;) {
      try {
        return { taken: await this.pin.checkpoint(plan), algorithm: by.name };
      } catch (error) {
        if (hasCode(error, 'RMK_ERR_LOGFULL')) {
          if (this.dropOldest(messageOf(error))) continue;
        } else if (hasCode(error, 'RMK_ERR_INPUT', 'RMK_ERR_ADDRESS')) {
          this.algorithms.failed(by, error);
        } else {
          throw error;
        }
        return { taken: await this.pin.checkpoint(NO_PRESAVE), algorithm: by.name };
      }
    }
  }

  private dropOldest(reason: string): boolean {
    if (this.ring.length < FEWEST_RETAINED) return false;
    this.ring.releaseOldest();
    this.reportLost(1, reason, false);
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
    const { losses } = this;
    const done = await this.rollBackAlong(path);
    this.history = [];
    const { pagesRestored, undoneNs, outputStruckBytes, atNs } = done;
    const reopened = this.ring.rewind(to, done);
    // Whatever was discarded meanwhile: what the rollback opened does not count as protection without an algorithm.
    if (losses !== this.losses && this.algorithms.installed === 0) this.ring.clear();
    const rollback = { pagesRestored, undoneNs, outputStruckBytes, reopened };
    if (this.algorithms.installed > 0) this.schedule(this.intervalNs);
    this.bus.topic('EVT_ROLLEDBACK').publish({ atNs, to, rollback });
    return rollback;
  }

  /** A rollback never fails because of a plan. */
  private async rollBackAlong(path: RollbackTarget): Promise<RolledBack> {
    // An algorithm that learns from history starts again: what it learned from has not happened.
    const next = this.algorithms.planNext([]);
    if (next === undefined) return this.pin.rollback(path, NO_PRESAVE);
    try {
      return await this.pin.rollback(path, next.plan);
    } catch (error) {
      if (!hasCode(error, 'RMK_ERR_INPUT', 'RMK_ERR_ADDRESS')) throw error;
      this.algorithms.failed(next.by, error);
      return this.pin.rollback(path, NO_PRESAVE);
    }
  }

  private withoutPlan(): void {
    if (this.algorithms.installed === 0) return;
    this.loseAll('the checkpoint algorithm failed');
    this.schedule(this.intervalNs);
  }

  private loseAll(reason: string): void {
    const checkpoints = this.discardAll();
    if (this.algorithms.installed === 0) this.next?.[Symbol.dispose]();
    if (checkpoints > 0 || !this.isUnprotected) this.reportLost(checkpoints, reason, true);
    this.isUnprotected = true;
  }

  /** Returns how many checkpoints were retained. */
  private discardAll(): number {
    this.losses += 1;
    this.history = [];
    return this.ring.clear();
  }

  private reportLost(checkpoints: number, reason: string, endsProtection: boolean): void {
    const atNs = this.clock.now();
    this.bus.topic('EVT_CHECKPOINTLOST').publish({ atNs, reason, checkpoints, endsProtection });
  }

  private warnOfDetections(): void {
    this.warnOfRisk();
    this.warnOfShortHistory();
  }

  /** Again only if the numbers have changed: every plugin that comes or goes may change them. */
  private warnOfShortHistory(): void {
    const shortfall = historyShortfall(this, this.detections);
    if (shortfall === this.shortfall) return;
    this.shortfall = shortfall;
    if (shortfall === undefined) return;
    const atNs = this.clock.now();
    this.bus.topic('EVT_WARNING').publish({ atNs, code: 'RMK_WARN_HISTORY', message: shortfall });
  }

  /** Of each risk once, until its numbers change. */
  private warnOfRisk(): void {
    const { corruptionRisk: given } = this.options;
    const accepted = given ?? ACCEPTED_RISK;
    const { retain, intervalNs } = this;
    // A bound that is derived from the accepted risk meets it but for rounding. RMK_WARN_HISTORY has the risk of a
    // short history.
    const tooRisky = risksOf(this.detections.all, { retain, intervalNs }).filter(
      ({ risk, boundNs }) =>
        risk > accepted * (1 + 1e-6) && (given !== undefined || boundNs <= (retain - 1) * intervalNs),
    );
    const messages = tooRisky.map(
      ({ kind, risk, from }) =>
        `the rollback target of a ${kind} holds the error with a probability of ${percent(risk)} (${from}), and ` +
        `${percent(accepted)} are accepted${given === undefined ? ' by default' : ''}. Retain more checkpoints than ${retain}, or take them less often.`,
    );
    const known = this.risks;
    this.risks = messages;
    const atNs = this.clock.now();
    for (const message of messages.filter((one) => !known.includes(one)))
      this.bus.topic('EVT_WARNING').publish({ atNs, code: 'RMK_WARN_RISK', message });
  }

  /** After a restart the retained checkpoints no longer apply, and after a reboot they would undo it. */
  private async beginAgain(reason: string): Promise<void> {
    const checkpoints = this.discardAll();
    if (checkpoints > 0) this.reportLost(checkpoints, reason, false);
    if (this.algorithms.installed > 0) await this.inTurn(() => this.takeNow('interval'));
  }
}

function release({ context, log }: Checkpointed): void {
  context.release();
  log.release();
}
