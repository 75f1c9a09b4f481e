import 'reflect-metadata';
import { BUS, nanoseconds, OPTIONS, type Bus, type Module, type Nanoseconds, type RmkEvent } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { CountedSigns } from './countedSigns.js';
import type { HangDetectorOptions } from './options.js';

/**
 * The hang rule of RMK (§8.3): more than a threshold of domain time in which the VM was not idle, between two signs of
 * progress. Halted with nothing able to wake it counts, idle does not. The rule arms itself at the first sign, so a
 * guest that gives none is never accused; nor is one whose silences are no longer than the threshold.
 */
@injectable()
export class HangDetector implements Module {
  private readonly thresholdNs: Nanoseconds;
  private readonly signs: CountedSigns;
  /** Undefined until the rule is armed. */
  private lastSignNs: Nanoseconds | undefined;
  /**
   * The last sign, or later: a guest that waits for its next interrupt does not hang, so it was healthy while it idled.
   */
  private lastHealthyNs: Nanoseconds = 0;
  /**
   * Domain time since the last sign in which the VM was not idle: no more than it was, and at most half a slice less.
   */
  private silentNs: Nanoseconds = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) { threshold, signs }: HangDetectorOptions,
  ) {
    this.thresholdNs = nanoseconds(threshold);
    this.signs = new CountedSigns(new Set(signs), this.thresholdNs);
  }

  start(): void {
    const detected = this.bus.topic('EVT_ERRORDETECTED');
    this.bus.on('EVT_VMSCHEDULED', (scheduled) => {
      this.account(scheduled);
      if (this.lastSignNs === undefined || this.silentNs <= this.thresholdNs) return;
      // The same text each time, so that the recovery recognises the same hang.
      const cause = `no sign of progress (${[...this.signs.names].join(', ')})`;
      detected.publish({ atNs: scheduled.atNs, kind: 'hang', cause, suspectSinceNs: this.lastHealthyNs });
      // Without a recovery the guest goes on being hung: it is reported once a threshold.
      this.silentNs = 0;
    });
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => {
      if (this.lastSignNs !== undefined) this.lastSignNs = atNs;
      this.lastHealthyNs = atNs;
      this.silentNs = 0;
    });
    this.bus.on('EVT_VMRESTARTED', () => this.beginAgain());
    this.bus.on('EVT_VMREBOOTED', () => this.beginAgain());
  }

  /** The rule arms itself again at the first sign. */
  private beginAgain(): void {
    this.signs.forget();
    this.lastSignNs = undefined;
    this.lastHealthyNs = 0;
    this.silentNs = 0;
  }

  private account(scheduled: RmkEvent<'EVT_VMSCHEDULED'>): void {
    const { atNs, cpuNs, idleNs, haltedNs } = scheduled;
    const signNs = this.signs.lastIn(scheduled);
    if (signNs !== undefined) {
      this.lastSignNs = signNs;
      // When in the stretch the VM was idle is not known: as if all of it came after the sign.
      this.silentNs = Math.max(0, atNs - this.lastSignNs - idleNs);
    } else if (this.lastSignNs !== undefined) {
      // A stretch that began before a rollback reports time that has not passed since.
      this.silentNs = Math.min(this.silentNs + cpuNs + haltedNs, atNs - this.lastSignNs);
    }
    const stretchBeganNs = atNs - cpuNs - idleNs - haltedNs;
    this.lastHealthyNs = Math.max(this.lastHealthyNs, this.lastSignNs ?? 0, idleNs > 0 ? stretchBeganNs : 0);
  }
}
