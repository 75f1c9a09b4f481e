import { type Bus, type Clock, type Nanoseconds } from '@rmk/core';

/**
 * Tells that protection is lost where the checkpoint agent cannot tell it any more, since it was removed, started anew, has
 * failed or is quarantined; and that it is restored with the first checkpoint that is taken thereafter.
 */
export class Protection {
  private lostAtNs: Nanoseconds | undefined;
  /** While there is something to restore that no agent knows of. */
  private firstCheckpoint: Disposable | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {
    bus.on('EVT_PROTECTIONLOST', ({ atNs }) => {
      this.lostAtNs ??= atNs;
      // Who says so is there to say that it is restored.
      this.stopWaiting();
    });
    bus.on('EVT_PROTECTIONRESTORED', () => this.forget());
  }

  agentGone(reason: string): void {
    if (this.lostAtNs === undefined) {
      this.bus.topic('EVT_PROTECTIONLOST').publish({ atNs: this.clock.now(), reason });
    }
    this.firstCheckpoint ??= this.bus.on('EVT_CHECKPOINTED', ({ atNs }) => this.restored(atNs));
  }

  private restored(atNs: Nanoseconds): void {
    const { lostAtNs = atNs } = this;
    this.forget();
    this.bus.topic('EVT_PROTECTIONRESTORED').publish({ atNs, lostForNs: atNs - lostAtNs });
  }

  private forget(): void {
    this.lostAtNs = undefined;
    this.stopWaiting();
  }

  private stopWaiting(): void {
    this.firstCheckpoint?.[Symbol.dispose]();
    this.firstCheckpoint = undefined;
  }
}
