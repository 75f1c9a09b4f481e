import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Facts } from '@rmk/core';
import type { FactEmitter } from '@rmk/driver';

/** The facts that put an end to what the guest does, until a rollback or a restart. */
export type EndFact = 'signal' | 'exited' | 'gone';

interface Unreported<F extends EndFact = EndFact> {
  readonly fact: F;
  readonly what: Omit<Facts[F], 'atNs'>;
}

/**
 * Emits the failure that ended the guest. If nobody listens at that moment, as when RMK was dead or its domain does not
 * exist yet, the failure is emitted once somebody does: a domain then gets it when all its plugins have started.
 */
export class StandingFailure {
  private unreported: Unreported | undefined;
  private pending: () => Promise<void> | undefined = () => undefined;

  constructor(
    private readonly facts: FactEmitter,
    private readonly now: () => number,
  ) {}

  /** What the domain is busy with: a failure is not reported before it is done. */
  reportAfter(pending: () => Promise<void> | undefined): void {
    this.pending = pending;
  }

  emit<F extends EndFact>(fact: F, what: Omit<Facts[F], 'atNs'>): void {
    if (this.facts.isObserved(fact)) this.facts.emit(fact, { atNs: this.now(), ...what } as Facts[F]);
    else this.unreported = { fact, what };
  }

  /** Somebody listens to this fact now. */
  observed(fact: keyof Facts): void {
    if (this.unreported?.fact === fact) void this.report(this.unreported);
  }

  /** The guest runs again: its failure is history. */
  clear(): void {
    this.unreported = undefined;
  }

  private async report(failure: Unreported): Promise<void> {
    await nextTurn();
    for (let busy = this.pending(); busy !== undefined; busy = this.pending()) await busy;
    // Reported, or history, in the meantime.
    if (this.unreported !== failure) return;
    this.unreported = undefined;
    this.emit(failure.fact, failure.what);
  }
}
