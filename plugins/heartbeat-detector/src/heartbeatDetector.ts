import 'reflect-metadata';
import { setImmediate } from 'node:timers/promises';
import {
  BUS,
  CLOCK,
  nanoseconds,
  OPTIONS,
  P_VMSCHL,
  type Bus,
  type Checkpoint,
  type Clock,
  type Module,
  type Nanoseconds,
  type SchedulingPin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { adaptiveSilence, fixedSilence, type AllowedSilence } from './allowedSilence.js';
import { BeatMatcher } from './beatMatcher.js';
import { ObservedSilences } from './observedSilences.js';
import type { HeartbeatDetectorOptions } from './options.js';

/** What the detector knows of a guest at a checkpoint. A rollback restores it, as it does the guest's memory. */
interface Heard {
  readonly armed: boolean;
  readonly matched: number;
  /** Silences observed: those since then are undone. */
  readonly silences: number;
}

const NOTHING: Heard = { armed: false, matched: 0, silences: 0 };

/**
 * The heartbeat rule: a guest that has promised a beat on a device is hung when it has been silent there for longer
 * than it may, idle or not. The rule arms itself at the first beat, so a guest that boots, or gives none, is never
 * accused.
 */
@injectable()
export class HeartbeatDetector implements Module {
  private readonly beats: BeatMatcher;
  private readonly silences = new ObservedSilences();
  private readonly allowed: AllowedSilence;
  private allowedNs: Nanoseconds;
  /** The last beat, unless a rollback came since: what it cuts in two is no silence of the guest. */
  private lastBeatNs: Nanoseconds | undefined;
  private readonly atCheckpoint = new WeakMap<Checkpoint, Heard>();
  private armed = false;
  /** The last beat, the last rollback or the last accusation. */
  private silentSinceNs: Nanoseconds = 0;
  /** Whether the silence since the last beat was reported as a hang. */
  private accused = false;
  /** A beat is reported at most a slice after it left: the guest was healthy then, and perhaps no longer. */
  private lastHealthyNs: Nanoseconds = 0;
  /** Set while the rule is armed. One for each silence, not for each beat: it is set again for what then remains. */
  private timer: Disposable | undefined;
  private timerDueNs: Nanoseconds = 0;

  constructor(
    @inject(P_VMSCHL) private readonly scheduling: SchedulingPin,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) private readonly options: HeartbeatDetectorOptions,
  ) {
    this.allowed = allowedBy(options, scheduling.schedulingIntervalNs);
    this.allowedNs = this.allowed.longestNs;
    this.beats = new BeatMatcher(bytesOf(options.beat));
  }

  start(): void {
    this.bus.on('EVT_VMOUTPUT', ({ device, data, atNs }) => {
      if (device === this.options.device && this.beats.endsIn(data)) this.beatAt(atNs);
    });
    this.bus.on('EVT_CHECKPOINTED', ({ checkpoint }) => this.rememberAt(checkpoint));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs, to, rollback }) => {
      const { armed, matched, silences } = this.atCheckpoint.get(to) ?? NOTHING;
      this.disarm();
      this.beats.matched = matched;
      this.forgetSilencesSince(silences);
      this.lastHealthyNs = atNs;
      if (armed) this.armAt(atNs);
      this.rememberAt(rollback.reopened);
    });
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => this.beginAgain(atNs));
    this.bus.on('EVT_VMREBOOTED', ({ atNs }) => this.beginAgain(atNs));
    this.bus.on('EVT_CHANNELCHANGED', ({ atNs, device, isOpen }) => {
      if (device === this.options.device && !isOpen) this.closedAt(atNs);
    });
    // A guest that has ended owes no beat, unless it is rolled back.
    this.bus.on('EVT_VMEXITED', () => this.disarm());
    this.bus.on('EVT_VMGONE', () => this.disarm());
  }

  /** Until the first beat of the guest's new life. */
  private beginAgain(atNs: Nanoseconds): void {
    this.disarm();
    this.beats.matched = 0;
    this.forgetSilencesSince(0);
    this.lastHealthyNs = atNs;
  }

  /** Whoever closes the channel says that no beat will come. A guest that hangs closes nothing. */
  private closedAt(atNs: Nanoseconds): void {
    if (!this.armed || this.options.whenClosed === 'accuse') return;
    this.disarm();
    this.beats.matched = 0;
    this.lastBeatNs = undefined;
    this.bus.topic('EVT_WARNING').publish({
      atNs,
      code: 'RMK_WARN_HEARTBEAT',
      message: `the guest closed ${this.options.device}: its hangs are not detected by heartbeats until it beats again`,
    });
  }

  private beatAt(atNs: Nanoseconds): void {
    this.lastHealthyNs = Math.max(this.lastHealthyNs, atNs - this.scheduling.schedulingIntervalNs);
    // A hang that ended by itself is not how a healthy guest is silent.
    if (this.lastBeatNs !== undefined && !this.accused) {
      this.silences.add(atNs - this.lastBeatNs);
      this.allowedNs = this.allowed.after(this.silences);
    }
    this.lastBeatNs = atNs;
    this.accused = false;
    if (!this.armed) {
      this.armAt(atNs);
      return;
    }
    this.silentSinceNs = atNs;
    if (atNs + this.allowedNs < this.timerDueNs) this.listen();
  }

  private forgetSilencesSince(count: number): void {
    this.silences.forgetSince(count);
    this.allowedNs = this.allowed.after(this.silences);
    this.lastBeatNs = undefined;
    this.accused = false;
  }

  private rememberAt(checkpoint: Checkpoint): void {
    const { armed } = this;
    this.atCheckpoint.set(checkpoint, {
      armed,
      matched: this.beats.matched,
      silences: this.silences.count,
    });
  }

  private armAt(atNs: Nanoseconds): void {
    this.armed = true;
    this.silentSinceNs = atNs;
    this.listen();
  }

  private disarm(): void {
    this.armed = false;
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
  }

  /** Until the silence is as long as it may be. */
  private listen(): void {
    const nowNs = this.clock.now();
    this.timer?.[Symbol.dispose]();
    this.timerDueNs = Math.max(nowNs, this.silentSinceNs + this.allowedNs);
    this.timer = this.clock.after(this.timerDueNs - nowNs, () => this.judge());
  }

  private judge(): Promise<void> | undefined {
    if (this.isSilent) return this.accuse();
    this.listen();
    return undefined;
  }

  private get isSilent(): boolean {
    return this.clock.now() >= this.silentSinceNs + this.allowedNs;
  }

  private async accuse(): Promise<void> {
    const { timer } = this;
    // Where this process was slow, beats can still be in its sockets. Read them first.
    await setImmediate();
    if (timer !== this.timer) return;
    const { isSilent } = this;
    const atNs = this.clock.now();
    // Without a recovery the guest goes on being hung: it is reported once a silence.
    if (isSilent) {
      this.silentSinceNs = atNs;
      this.accused = true;
    }
    this.listen();
    if (!isSilent) return;
    const { device, silence } = this.options;
    // The same text each time, so that the recovery recognises the same hang.
    const cause =
      silence === undefined
        ? `no beat on ${device} for longer than its silences allow`
        : `no beat on ${device} in ${silence} of domain time`;
    this.bus
      .topic('EVT_ERRORDETECTED')
      .publish({ atNs, kind: 'hang', cause, suspectSinceNs: this.lastHealthyNs });
  }
}

function allowedBy(
  { silence, adaptive }: HeartbeatDetectorOptions,
  schedulingIntervalNs: Nanoseconds,
): AllowedSilence {
  if (adaptive !== undefined) return adaptiveSilence(adaptive, schedulingIntervalNs);
  return fixedSilence(silence === undefined ? Infinity : nanoseconds(silence));
}

function bytesOf(beat: HeartbeatDetectorOptions['beat']): Uint8Array {
  return beat instanceof Uint8Array ? beat.slice() : new TextEncoder().encode(beat ?? '');
}
