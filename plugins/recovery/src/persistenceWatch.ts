import 'reflect-metadata';
import {
  BUS,
  definePlugin,
  durationHint,
  INSTALLATION_STATE,
  isDuration,
  nanoseconds,
  OPTIONS,
  stateKey,
  type Bus,
  type Duration,
  type InstallationState,
  type Module,
  type Nanoseconds,
  type Rung,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { z } from 'zod';

/** A failure that the watch has seen, and what became of it. */
export interface SeenFailure {
  readonly atNs: Nanoseconds;
  readonly cause: string;
  readonly place?: string;
  /** Absent while the recovery is under way, or if it failed. */
  readonly recoveredBy?: Rung;
  /** Probability that the checkpoint used held the error: a high one explains a second failure by itself. */
  readonly corruptionRisk?: number;
}

declare module '@rmk/core' {
  interface RmkEvents {
    /** Failures of one kind come again although they were recovered from: a transient fault would not. */
    EVT_PERSISTENTFAULT: {
      readonly atNs: Nanoseconds;
      readonly kind: string;
      /** The failures within the window, oldest first, the present one included. */
      readonly failures: readonly SeenFailure[];
      readonly windowNs: Nanoseconds;
    };
  }
}

const watchOptions = z.strictObject({
  /** Failures of one kind within the window that make the fault a persistent one. */
  failures: z.int().min(2).default(2),
  /** Domain time. */
  window: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }).default('10s'),
});

type Options = z.output<typeof watchOptions>;

const WATCHED = stateKey(() => ({
  seen: new Map<string, readonly SeenFailure[]>(),
  /** Kinds that were reported, until a window passes without one of them. */
  reported: new Set<string>(),
}));

/** Distinguishes persistent faults from transient ones: a transient fault is undone by the first rollback. */
@injectable()
class PersistenceWatch implements Module {
  private readonly seen: Map<string, readonly SeenFailure[]>;
  private readonly reported: Set<string>;
  /** What was detected up to here was detected in a state that has been discarded. */
  private restoredAtNs: Nanoseconds = -1;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(OPTIONS) private readonly options: Options,
    @inject(INSTALLATION_STATE) kept: InstallationState,
  ) {
    // A restart of the watch forgets no failure, and reports none again.
    ({ seen: this.seen, reported: this.reported } = kept.get(WATCHED));
  }

  start(): void {
    this.bus.on('EVT_ERRORDETECTED', ({ atNs, kind, cause, place }) =>
      this.add(kind, { atNs, cause, ...(place === undefined ? {} : { place }) }),
    );
    this.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, corruptionRisk } }) => {
      const all = this.seen.get(trigger.kind) ?? [];
      const recovered = all.map((failure) =>
        failure.atNs === trigger.atNs
          ? { ...failure, recoveredBy: rung, ...(corruptionRisk === undefined ? {} : { corruptionRisk }) }
          : failure,
      );
      this.seen.set(trigger.kind, recovered);
      this.settle(Math.max(trigger.atNs, this.restoredAtNs));
    });
    this.bus.on('EVT_RECOVERYFAILED', ({ atNs }) => this.settle(atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => void (this.restoredAtNs = atNs));
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => void (this.restoredAtNs = atNs));
  }

  /** Drops what was detected until then and not recovered from: no recovery is going to take it any more. */
  private settle(untilNs: Nanoseconds): void {
    for (const [kind, failures] of this.seen)
      this.seen.set(
        kind,
        failures.filter(({ atNs, recoveredBy }) => recoveredBy !== undefined || atNs > untilNs),
      );
  }

  private add(kind: string, failure: SeenFailure): void {
    const windowNs = nanoseconds(this.options.window);
    const { atNs } = failure;
    const recent = (this.seen.get(kind) ?? []).filter((before) => before.atNs > atNs - windowNs);
    if (recent.length === 0) this.reported.delete(kind);
    // While a recovery is under way the same failure may be detected again.
    if (recent.at(-1) !== undefined && recent.at(-1)?.recoveredBy === undefined) return;
    const failures = [...recent, failure];
    this.seen.set(kind, failures);
    if (failures.length < this.options.failures || this.reported.has(kind)) return;
    this.reported.add(kind);
    this.bus.topic('EVT_PERSISTENTFAULT').publish({ atNs, kind, failures, windowNs });
  }
}

/** Reports failures that come again although they were recovered from. Installed beside a recovery. */
export const persistenceWatch = definePlugin({
  name: '@rmk/persistence-watch',
  version: '0.2.0',
  rmk: '^0.2.0',
  events: ['EVT_PERSISTENTFAULT'],
  // It looks at a failure before the recovery does.
  before: ['@rmk/recovery'],
  modules: [PersistenceWatch],
  options: watchOptions,
});
