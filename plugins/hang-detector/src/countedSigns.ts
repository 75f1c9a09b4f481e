import type { Nanoseconds, ProgressSign, RmkEvent } from '@rmk/core';

/** It shows only that interrupts are on: the handler sets the timer again whatever the tasks do. */
const WEAK_SIGN = 'timer-rearmed';
/** Slices with a better sign, none missing for a threshold, after which this guest is known to give it all the time. */
const SLICES_OF_PROOF = 10;

/**
 * The signs that count as progress. A re-armed timer counts until the guest has proved that it keeps giving a better
 * sign. One such sign, for example during boot, proves nothing: some guests never give it again.
 */
export class CountedSigns {
  private readonly better: ReadonlySet<string>;
  private slices = 0;
  private missingNs: Nanoseconds = 0;

  constructor(
    private readonly chosen: ReadonlySet<string>,
    private readonly thresholdNs: Nanoseconds,
  ) {
    this.better = new Set([...chosen].filter((sign) => sign !== WEAK_SIGN));
  }

  /** The chosen signs that count now. */
  get names(): ReadonlySet<string> {
    return this.slices >= SLICES_OF_PROOF ? this.better : this.chosen;
  }

  /** When the last sign that counts was given in this slice; undefined if none was. */
  lastIn({ cpuNs, haltedNs, progress }: RmkEvent<'EVT_VMSCHEDULED'>): Nanoseconds | undefined {
    if (this.slices < SLICES_OF_PROOF) this.prove(cpuNs + haltedNs, progress);
    const { names } = this;
    let lastNs: Nanoseconds | undefined;
    for (const { sign, atNs } of progress) {
      if (names.has(sign) && (lastNs === undefined || atNs > lastNs)) lastNs = atNs;
    }
    return lastNs;
  }

  /** A guest that starts again has proved nothing. */
  forget(): void {
    this.slices = 0;
    this.missingNs = 0;
  }

  private prove(busyNs: Nanoseconds, progress: readonly ProgressSign[]): void {
    if (progress.some(({ sign }) => this.better.has(sign))) {
      this.slices += 1;
      this.missingNs = 0;
      return;
    }
    this.missingNs += busyNs;
    if (this.missingNs > this.thresholdNs) this.slices = 0;
  }
}
