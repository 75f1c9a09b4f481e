import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  nanoseconds,
  OPTIONS,
  type Bus,
  type Clock,
  type Module,
  type Nanoseconds,
  type RmkEvent,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { HangDetectorOptions } from './plugin.js';

/**
 * The hang rule of RMK (§8.3): more than a threshold of domain time in which the VM was not idle, between two signs of
 * progress. Halted with nothing able to wake it counts, idle does not. The rule arms itself at the first sign, so a
 * guest that gives none is never accused.
 */
@injectable()
export class HangDetector implements Module {
  private readonly thresholdNs: Nanoseconds;
  private readonly signs: ReadonlySet<string>;
  /** Undefined until the rule is armed. */
  private lastSignNs: Nanoseconds | undefined;
  /** Domain time since the last sign in which the VM was not idle. */
  private silentNs: Nanoseconds = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(OPTIONS) { threshold, signs }: HangDetectorOptions,
  ) {
    this.thresholdNs = nanoseconds(threshold);
    this.signs = new Set(signs);
  }

  start(): void {
    const detected = this.bus.topic('EVT_ERRORDETECTED');
    this.bus.on('EVT_VMSCHEDULED', (scheduled) => {
      this.account(scheduled);
      if (this.lastSignNs === undefined || this.silentNs <= this.thresholdNs) return;
      const cause = `no ${[...this.signs].join(' or ')} in ${this.silentNs / 1e6} ms of domain time`;
      detected.publish({ atNs: scheduled.atNs, kind: 'hang', cause, suspectSinceNs: this.lastSignNs });
      // Without a recovery the guest goes on being hung: it is reported once a threshold.
      this.silentNs = 0;
    });
    this.bus.on('EVT_ROLLEDBACK', () => {
      if (this.lastSignNs !== undefined) this.lastSignNs = this.clock.now();
      this.silentNs = 0;
    });
    this.bus.on('EVT_VMRESTARTED', () => {
      this.lastSignNs = undefined;
      this.silentNs = 0;
    });
  }

  private account({ atNs, cpuNs, haltedNs, progress }: RmkEvent<'EVT_VMSCHEDULED'>): void {
    const seen = progress.filter(({ sign }) => this.signs.has(sign)).map((sign) => sign.atNs);
    const busyNs = cpuNs + haltedNs;
    if (seen.length === 0) {
      this.silentNs += busyNs;
      return;
    }
    this.lastSignNs = Math.max(...seen);
    // When in the stretch the VM was idle is not known: no more than this was spent busy after the sign.
    this.silentNs = Math.min(busyNs, atNs - this.lastSignNs);
  }
}
