import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  nanoseconds,
  OPTIONS,
  type Bus,
  type Checkpoints,
  type Clock,
  type Module,
  type Nanoseconds,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import type { AdaptiveIntervalOptions } from './options.js';

/**
 * Requests a checkpoint soon after output, so that a rollback undoes, and the guest repeats, little of it. While the
 * guest puts nothing out, the agent's interval holds.
 */
@injectable()
export class AdaptiveInterval implements Module {
  private readonly shortNs: Nanoseconds;
  private lastNs: Nanoseconds = -Infinity;
  private due: Disposable | undefined;

  constructor(
    @inject(CHECKPOINTS) private readonly checkpoints: Checkpoints,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) { underOutput }: AdaptiveIntervalOptions,
  ) {
    this.shortNs = nanoseconds(underOutput);
  }

  start(): void {
    this.bus.on('EVT_VMOUTPUT', () => this.request());
    this.bus.on('EVT_CHECKPOINTED', ({ atNs }) => this.begin(atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => this.begin(atNs));
  }

  stop(): void {
    this.due?.[Symbol.dispose]();
  }

  /** What was put out before is covered by the checkpoint, or undone. */
  private begin(atNs: Nanoseconds): void {
    this.lastNs = atNs;
    this.due?.[Symbol.dispose]();
    this.due = undefined;
  }

  private request(): void {
    if (this.due !== undefined) return;
    const delayNs = Math.max(0, this.lastNs + this.shortNs - this.clock.now());
    this.due = this.clock.after(delayNs, async () => {
      this.due = undefined;
      // Without a checkpoint there is no protection to be refined.
      if (this.checkpoints.retained.length > 0) await this.checkpoints.take();
    });
  }
}
