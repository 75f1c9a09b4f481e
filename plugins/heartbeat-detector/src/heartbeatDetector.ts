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
import { BeatMatcher } from './beatMatcher.js';
import type { HeartbeatDetectorOptions } from './options.js';

/** What the detector has heard of a guest: as much a part of the guest's life as its memory, and turned back with it. */
interface Heard {
  readonly armed: boolean;
  readonly matched: number;
}

const NOTHING: Heard = { armed: false, matched: 0 };

/**
 * The heartbeat rule: a guest that has promised a beat on a device is hung when it has been silent there for longer than
 * it may, idle or not. The rule arms itself at the first beat, so a guest that boots, or gives none, is never accused.
 */
@injectable()
export class HeartbeatDetector implements Module {
  private readonly silenceNs: Nanoseconds;
  private readonly beats: BeatMatcher;
  private readonly atCheckpoint = new WeakMap<Checkpoint, Heard>();
  private armed = false;
  /** The last beat, the last rollback or the last accusation. */
  private silentSinceNs: Nanoseconds = 0;
  /** A beat is reported at most a slice after it left: the guest was healthy then, and perhaps no longer. */
  private lastWellNs: Nanoseconds = 0;
  /** Set while the rule is armed. One for each silence, not for each beat: it is set again for what then remains. */
  private timer: Disposable | undefined;

  constructor(
    @inject(P_VMSCHL) private readonly scheduling: SchedulingPin,
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) private readonly options: HeartbeatDetectorOptions,
  ) {
    this.silenceNs = nanoseconds(options.silence);
    this.beats = new BeatMatcher(bytesOf(options.beat));
  }

  start(): void {
    this.bus.on('EVT_VMOUTPUT', ({ device, data, atNs }) => {
      if (device === this.options.device && this.beats.endsIn(data)) this.beatAt(atNs);
    });
    this.bus.on('EVT_CHECKPOINTED', ({ checkpoint }) => this.rememberAt(checkpoint));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs, to, rollback }) => {
      const { armed, matched } = this.atCheckpoint.get(to) ?? NOTHING;
      this.disarm();
      this.beats.matched = matched;
      this.lastWellNs = atNs;
      if (armed) this.armAt(atNs);
      this.rememberAt(rollback.reopened);
    });
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => {
      this.disarm();
      this.beats.matched = 0;
      this.lastWellNs = atNs;
    });
    // A guest that has ended owes no beat, unless it is rolled back.
    this.bus.on('EVT_VMEXITED', () => this.disarm());
    this.bus.on('EVT_VMGONE', () => this.disarm());
  }

  private beatAt(atNs: Nanoseconds): void {
    this.lastWellNs = Math.max(this.lastWellNs, atNs - this.scheduling.schedulingIntervalNs);
    if (this.armed) this.silentSinceNs = atNs;
    else this.armAt(atNs);
  }

  private rememberAt(checkpoint: Checkpoint): void {
    this.atCheckpoint.set(checkpoint, { armed: this.armed, matched: this.beats.matched });
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
    const remainingNs = this.silentSinceNs + this.silenceNs - this.clock.now();
    this.timer = this.clock.after(Math.max(0, remainingNs), () => this.judge());
  }

  private judge(): Promise<void> | undefined {
    if (this.isSilent) return this.accuse();
    this.listen();
    return undefined;
  }

  private get isSilent(): boolean {
    return this.clock.now() >= this.silentSinceNs + this.silenceNs;
  }

  private async accuse(): Promise<void> {
    const { timer } = this;
    // Where this process was slow, beats may lie in its sockets still: they are to be heard first.
    await setImmediate();
    if (timer !== this.timer) return;
    const accused = this.isSilent;
    const atNs = this.clock.now();
    // Without a recovery the guest goes on being hung: it is reported once a silence.
    if (accused) this.silentSinceNs = atNs;
    this.listen();
    if (!accused) return;
    const { device, silence } = this.options;
    const cause = `no beat on ${device} in ${silence} of domain time`;
    this.bus
      .topic('EVT_ERRORDETECTED')
      .publish({ atNs, kind: 'hang', cause, suspectSinceNs: this.lastWellNs });
  }
}

function bytesOf(beat: HeartbeatDetectorOptions['beat']): Uint8Array {
  return beat instanceof Uint8Array ? beat.slice() : new TextEncoder().encode(beat ?? '');
}
