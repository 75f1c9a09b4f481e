import { setImmediate as nextTurn } from 'node:timers/promises';
import { RmkError, type Nanoseconds } from '@rmk/core';
import type { DebuggedMachine } from './debuggedMachine.js';
import type { MachineSnapshot } from '../snapshot/machineSnapshot.js';
import { History, HISTORY_DEFAULTS, type HistoryLimits, type HistoryPoint } from './history.js';
import type { Detection, Sentinel } from './sentinel.js';
import type { DebuggedHart, Hit } from './steppedHart.js';
import { StopPoints, type Watchpoint } from './stopPoints.js';

/** Why the guest stopped. */
export type Stopped =
  | { readonly why: 'step' | 'breakpoint' | 'interrupted' | 'begin' }
  | { readonly why: 'watchpoint'; readonly watchpoint: Watchpoint }
  | { readonly why: 'detection'; readonly detection: Detection }
  /** `exitCode`: undefined if the guest waits for nothing that could come. */
  | { readonly why: 'end'; readonly exitCode: number | undefined };

/** A moment of the guest. */
export interface Moment {
  readonly instructions: number;
  readonly guestNs: Nanoseconds;
}

/** A point of the history that is kept. */
export interface KeptMoment extends Moment {
  /** Whether a debugger or an injection changed the guest here. */
  readonly isChange: boolean;
}

/** Instructions that are executed one by one before anything else gets its turn: some 10 ms. */
const STEPPED = 200_000;
/** Cycles at full speed before anything else gets its turn. */
const AT_SPEED = 2_000_000;
/** How long a guest that waits for nothing is given for a detector to see it. */
const HALTED_NS = 10e9;

/** What ends a run forward besides its target: detections, and the end of the guest, always do. */
type Mode = typeof CONTINUING | typeof STEPPING | typeof GOING;
/** Breakpoints and watchpoints, too. */
const CONTINUING = 0;
const STEPPING = 1;
/** Detections at which the guest has stopped before do not. */
const GOING = 2;

interface Seen {
  readonly detection: Detection;
  /** Where the guest stopped for it: a guest that waits then stops where it began to wait. */
  stoppedAt: number | undefined;
}

/**
 * Takes a VM that nothing else runs to any moment between where this began and where the guest has come to. The past is
 * computed again from the nearest snapshot before it, exactly: registers, memory, devices and output are those that the
 * guest had.
 */
export class TimeTravel {
  readonly stops = new StopPoints();
  private readonly history: History;
  private sentinel: Sentinel | undefined;
  /** Where the sentinel is to begin before it is asked again. */
  private sentinelStart: MachineSnapshot | undefined;
  /** Whether the sentinel stays at a detection. */
  private isSentinelSpent = false;
  private seen: Seen[] = [];

  /** @internal Made by `EmbeddedMachine.timeTravel`. */
  constructor(
    readonly machine: DebuggedMachine,
    private readonly hart: DebuggedHart,
    private readonly nsPerCycle: number,
    limits: Partial<HistoryLimits> = {},
  ) {
    this.hart.settle();
    const first = machine.snapshot();
    // It refuses what could not be gone back to, too.
    machine.load(first);
    this.history = new History(first, this.hart.cycle, { ...HISTORY_DEFAULTS, ...limits });
  }

  get now(): Moment {
    const { instructions, guestNs } = this.machine;
    return { instructions, guestNs };
  }

  get kept(): readonly KeptMoment[] {
    return this.history.all.map(({ snapshot: { instructions, guestNs }, isChange }) => ({
      instructions,
      guestNs,
      isChange,
    }));
  }

  /** Detections so far, in the run that is remembered. */
  get detections(): readonly Detection[] {
    return this.seen.map(({ detection }) => detection);
  }

  /**
   * From now on the guest stops where `sentinel` detects an error. `'from-here'`: it is started at this moment;
   * `'begun'`: it is here already.
   */
  watchBy(sentinel: Sentinel, how: 'from-here' | 'begun' = 'from-here'): void {
    this.sentinel = sentinel;
    this.isSentinelSpent = false;
    this.sentinelStart = how === 'begun' ? undefined : this.machine.snapshot(this.history.newest.snapshot);
  }

  /**
   * Changes the guest here from outside. The future that it had is forgotten. If `work` fails the guest is as before,
   * provided that `work` then changed nothing.
   */
  async change(work: () => Promise<void>): Promise<void> {
    await work();
    this.changed();
  }

  /** The guest was changed here from outside. The future that it had is forgotten. */
  changed(): void {
    const { cycle } = this.hart;
    // What the change has made due is taken now, as everywhere.
    this.hart.settle();
    this.history.change(this.machine.snapshot(this.history.at(cycle).snapshot), cycle);
    this.seen = this.seen.filter(({ stoppedAt }) => stoppedAt !== undefined && stoppedAt <= cycle);
    this.sentinelStart = this.history.newest.snapshot;
  }

  /** One instruction, exception or wait. */
  async step(signal?: AbortSignal): Promise<Stopped> {
    const next = this.hart.nextCycle;
    return (await this.forward(next, STEPPING, signal)) ?? { why: 'step' };
  }

  /** Runs to a breakpoint, a watchpoint, a detection, or the end. */
  async continue(signal?: AbortSignal): Promise<Stopped> {
    return (await this.forward(Infinity, CONTINUING, signal)) ?? { why: 'step' };
  }

  /**
   * Forward to a guest time, whatever stops there are in between, except for detections and the end. A guest that waits
   * then is in the middle of its wait.
   */
  async runToTime(guestNs: Nanoseconds): Promise<Stopped> {
    const cycle = Math.round(guestNs / this.nsPerCycle);
    const stopped = await this.forward(cycle, GOING);
    if (stopped === undefined) this.hart.waitUntil(cycle);
    return stopped ?? { why: 'step' };
  }

  /** To before the last instruction, exception or wait. */
  async reverseStep(): Promise<Stopped> {
    const { cycle } = this.hart;
    if (this.history.before(cycle) === undefined) return { why: 'begin' };
    this.seek(cycle - 1);
    return { why: 'step' };
  }

  /** Back to the last breakpoint or watched access before this moment, or to the beginning. */
  async reverseContinue(signal?: AbortSignal): Promise<Stopped> {
    const { cycle } = this.hart;
    for (let end = cycle; this.stops.hasAny;) {
      const point = this.history.before(end);
      if (point === undefined) break;
      const hit = await this.lastHit(point, end, signal);
      if (hit === 'interrupted') {
        this.seek(cycle);
        return { why: 'interrupted' };
      }
      if (hit !== undefined) {
        this.seek(hit.cycle);
        return stoppedBy(hit);
      }
      end = point.cycle;
    }
    this.load(this.history.first);
    return { why: 'begin' };
  }

  /**
   * To the first moment at which the guest has executed so many instructions, back or forth, whatever stops there are
   * in between, except for detections and the end. Throws `RMK_ERR_INPUT` for one before the history begins.
   */
  async goto(instructions: number, signal?: AbortSignal): Promise<Stopped> {
    const { first } = this.history;
    if (!Number.isSafeInteger(instructions) || instructions < first.snapshot.instructions) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `there is no instruction ${instructions}: the history begins at ${first.snapshot.instructions}`,
      );
    }
    if (instructions <= this.hart.instructions) this.load(this.pointBefore(instructions));
    const { hart } = this;
    while (hart.instructions < instructions) {
      const missing = hart.cycle + instructions - hart.instructions;
      // A wait may last longer than what is missing.
      const stopped = await this.forward(Math.max(missing, hart.nextCycle), GOING, signal);
      if (stopped !== undefined) return stopped;
    }
    return { why: 'step' };
  }

  /** The newest point from which the first moment with so many instructions lies ahead. */
  private pointBefore(instructions: number): HistoryPoint {
    const { all, first } = this.history;
    return (
      all.findLast(({ snapshot }) => snapshot.instructions < instructions) ??
      all.find(({ snapshot }) => snapshot.instructions === instructions) ??
      first
    );
  }

  /** Undefined if `target` is reached. */
  private async forward(target: number, mode: Mode, signal?: AbortSignal): Promise<Stopped | undefined> {
    const { hart, history } = this;
    const isStepped = mode === CONTINUING && this.stops.hasAny;
    for (;;) {
      if (signal?.aborted === true) return { why: 'interrupted' };
      if (hart.nextCycle === Infinity) return this.atEnd();
      const least = hart.nextCycle;
      if (hart.cycle >= target || least > target) return undefined;
      const change = history.changeAfter(hart.cycle);
      const some = hart.cycle + (isStepped ? STEPPED : AT_SPEED);
      const end = Math.max(least, Math.min(some, target, history.dueCycle, change?.cycle ?? Infinity));
      const seen = await this.seenBy(end, mode);
      const seenAt = seen === undefined ? Infinity : this.cycleOf(seen.detection);
      if (seen !== undefined && seenAt < least) return this.stoppedFor(seen);
      let hit = isStepped ? hart.runToHit(Math.min(end, seenAt), this.stops) : undefined;
      if (!isStepped) hart.runTo(Math.min(end, seenAt));
      if (change !== undefined && hart.cycle >= change.cycle) {
        this.load(change);
        if (isStepped && hart.isAtBreakpoint(this.stops))
          hit ??= { cycle: hart.cycle, watchpoint: undefined };
      } else if (hart.cycle >= history.dueCycle) this.keep();
      if (hit !== undefined) return stoppedBy(hit);
      if (seen !== undefined && (hart.cycle >= seenAt || hart.nextCycle > seenAt))
        return this.stoppedFor(seen);
      await nextTurn();
    }
  }

  private async atEnd(): Promise<Stopped> {
    const { exitCode } = this.machine;
    // What ends by itself is seen at the end at the latest, a halt only some time later.
    const longer = exitCode === undefined ? HALTED_NS / this.nsPerCycle : 0;
    const seen = await this.seenBy(this.hart.cycle + longer, STEPPING);
    return seen === undefined ? { why: 'end', exitCode } : this.stoppedFor(seen);
  }

  private stoppedFor(seen: Seen): Stopped {
    seen.stoppedAt = this.hart.cycle;
    return { why: 'detection', detection: seen.detection };
  }

  /** The detection that lies ahead, not later than `cycle`. */
  private async seenBy(cycle: number, mode: Mode): Promise<Seen | undefined> {
    const { cycle: now } = this.hart;
    const ahead = this.seen.find(({ stoppedAt = Infinity }) => stoppedAt > now);
    if (ahead !== undefined) {
      const isPassed = mode === GOING && ahead.stoppedAt !== undefined;
      return !isPassed && this.cycleOf(ahead.detection) <= cycle ? ahead : undefined;
    }
    const { sentinel } = this;
    if (sentinel === undefined) return undefined;
    if (this.isSentinelSpent) this.sentinelStart ??= this.machine.snapshot(this.history.at(now).snapshot);
    if (this.sentinelStart !== undefined) await sentinel.startFrom(this.sentinelStart);
    this.sentinelStart = undefined;
    this.isSentinelSpent = false;
    const detection = await sentinel.until(cycle * this.nsPerCycle);
    if (detection === undefined) return undefined;
    this.isSentinelSpent = true;
    const seen: Seen = { detection, stoppedAt: undefined };
    this.seen.push(seen);
    return seen;
  }

  private async lastHit(
    point: HistoryPoint,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<Hit | 'interrupted' | undefined> {
    this.load(point);
    let last: Hit | undefined;
    const { hart } = this;
    while (hart.cycle < end && hart.nextCycle <= end) {
      if (signal?.aborted === true) return 'interrupted';
      const piece = Math.max(hart.nextCycle, Math.min(end, hart.cycle + STEPPED));
      last = hart.runToLastHit(piece, this.stops) ?? last;
      await nextTurn();
    }
    return last;
  }

  /** To the last moment up to `cycle`, which must lie in the history. */
  private seek(cycle: number): void {
    this.load(this.history.at(cycle));
    this.hart.runTo(cycle);
  }

  private load({ snapshot }: HistoryPoint): void {
    this.machine.load(snapshot);
  }

  private keep(): void {
    this.history.add(this.machine.snapshot(this.history.newest.snapshot), this.hart.cycle);
  }

  private cycleOf({ guestNs }: Detection): number {
    return Math.round(guestNs / this.nsPerCycle);
  }
}

function stoppedBy({ watchpoint }: Hit): Stopped {
  return watchpoint === undefined ? { why: 'breakpoint' } : { why: 'watchpoint', watchpoint };
}
