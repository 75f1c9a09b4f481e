import {
  messageOf,
  type Checkpoint,
  type EventName,
  type Nanoseconds,
  type RmkEvents,
  type Rung,
} from '@rmk/core';
import type { MatcherState } from 'vitest';
import { candidates, historyOf, shown, verdict, type Occurrence } from './eventVerdict.js';

/** Whichever came last says whether a failure would be undone. */
const DECIDES_PROTECTION: ReadonlySet<EventName> = new Set<EventName>([
  'EVT_CHECKPOINTED',
  'EVT_ROLLEDBACK',
  'EVT_PROTECTIONLOST',
  'EVT_LOGLOST',
  'EVT_VMRESTARTED',
]);

export interface ExpectedDetection extends Occurrence {
  readonly kind?: string;
  /** The plugin that published it. */
  readonly by?: string;
  readonly cause?: string;
  readonly suspectSinceNs?: Nanoseconds;
}

export interface ExpectedRecovery extends Occurrence {
  /** What was detected, and by which plugin. */
  readonly kind?: string;
  readonly by?: string;
  readonly rung?: Rung;
  readonly occurrence?: number;
  readonly workLostNs?: Nanoseconds;
}

export interface ExpectedFailedRecovery extends Occurrence {
  readonly kind?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly givenUp?: boolean;
}

export interface ExpectedCheckpoint extends Occurrence {
  readonly algorithm?: string;
  readonly origin?: Checkpoint['origin'];
}

export interface ExpectedLoss extends Occurrence {
  readonly reason?: string;
}

export interface ExpectedFault extends Occurrence {
  readonly plugin?: string;
  readonly during?: string;
  /** The message of what was thrown. */
  readonly message?: string;
}

export interface ExpectedQuarantine extends Occurrence {
  readonly plugin?: string;
}

/**
 * Matchers for a rig, or a recorder on a bus. Each field that is given must be equal, or satisfied where it is an
 * asymmetric matcher of vitest such as `expect.stringContaining`.
 */
export interface RmkMatchers {
  /** EVT_ERRORDETECTED. */
  toHaveDetected(expected?: ExpectedDetection): void;
  /** EVT_RECOVERED. */
  toHaveRecovered(expected?: ExpectedRecovery): void;
  /** EVT_RECOVERYFAILED. `givenUp`: the VM stays suspended. */
  toHaveFailedToRecover(expected?: ExpectedFailedRecovery): void;
  /** EVT_VMRESTARTED. */
  toHaveRestarted(expected?: Occurrence): void;
  /** EVT_CHECKPOINTED. */
  toHaveCheckpointed(expected?: ExpectedCheckpoint): void;
  /** Checkpoints have been taken, and protection has not been lost since. */
  toBeProtected(): void;
  /** EVT_PROTECTIONLOST. */
  toHaveLostProtection(expected?: ExpectedLoss): void;
  /** EVT_PLUGINFAULT. */
  toHaveFaulted(expected?: ExpectedFault): void;
  /** EVT_PLUGINQUARANTINED. */
  toHaveQuarantined(expected?: ExpectedQuarantine): void;
  /** Any event that is recorded: a third party's is to be named in the rig's option `record`. */
  toHavePublished<E extends EventName>(
    name: E,
    expected?: Partial<RmkEvents[E]> & { readonly source?: string },
    when?: Occurrence,
  ): void;
}

declare module 'vitest' {
  interface Matchers<T> extends RmkMatchers {}
}

/** For another `expect`. That of vitest is extended with the rig. */
export const rmkMatchers = {
  toHaveDetected(
    this: MatcherState,
    received: unknown,
    { kind, by, cause, suspectSinceNs, ...when }: ExpectedDetection = {},
  ) {
    const found = candidates(received, 'EVT_ERRORDETECTED', (event) => ({ ...event, by: event.source }));
    return verdict(this, { noun: 'detection', found, fields: { kind, by, cause, suspectSinceNs }, when });
  },
  toHaveRecovered(
    this: MatcherState,
    received: unknown,
    { kind, by, rung, occurrence, workLostNs, ...when }: ExpectedRecovery = {},
  ) {
    const found = candidates(received, 'EVT_RECOVERED', ({ record }) => ({
      ...record,
      kind: record.trigger.kind,
      by: record.trigger.detector,
    }));
    return verdict(this, {
      noun: 'recovery',
      found,
      fields: { kind, by, rung, occurrence, workLostNs },
      when,
    });
  },
  toHaveFailedToRecover(
    this: MatcherState,
    received: unknown,
    { kind, by, reason, givenUp, ...when }: ExpectedFailedRecovery = {},
  ) {
    const found = candidates(received, 'EVT_RECOVERYFAILED', (event) => ({
      reason: event.reason,
      givenUp: event.givenUp,
      kind: event.trigger.kind,
      by: event.trigger.detector,
    }));
    return verdict(this, { noun: 'failed recovery', found, fields: { kind, by, reason, givenUp }, when });
  },
  toHaveRestarted(this: MatcherState, received: unknown, when: Occurrence = {}) {
    const found = candidates(received, 'EVT_VMRESTARTED', () => ({}));
    return verdict(this, { noun: 'restart', found, fields: {}, when });
  },
  toHaveCheckpointed(
    this: MatcherState,
    received: unknown,
    { algorithm, origin, ...when }: ExpectedCheckpoint = {},
  ) {
    const found = candidates(received, 'EVT_CHECKPOINTED', (event) => ({
      algorithm: event.algorithm,
      origin: event.checkpoint.origin,
    }));
    return verdict(this, { noun: 'checkpoint', found, fields: { algorithm, origin }, when });
  },
  toBeProtected(this: MatcherState, received: unknown) {
    const history = historyOf(received);
    const last = history.recorded.findLast(({ name }) => DECIDES_PROTECTION.has(name))?.name;
    const pass = last === 'EVT_CHECKPOINTED' || last === 'EVT_ROLLEDBACK';
    const reason = last === undefined ? 'no checkpoint was taken' : `the last word was ${last}`;
    const message = () =>
      `expected the guest ${this.isNot ? 'not ' : ''}to be protected: ${reason}\n\n${shown(history)}`;
    return { pass, message };
  },
  toHaveLostProtection(this: MatcherState, received: unknown, { reason, ...when }: ExpectedLoss = {}) {
    const found = candidates(received, 'EVT_PROTECTIONLOST', (event) => ({ ...event }));
    return verdict(this, { noun: 'loss of protection', found, fields: { reason }, when });
  },
  toHaveFaulted(
    this: MatcherState,
    received: unknown,
    { plugin, during, message, ...when }: ExpectedFault = {},
  ) {
    const found = candidates(received, 'EVT_PLUGINFAULT', (event) => ({
      ...event,
      message: messageOf(event.error),
    }));
    return verdict(this, { noun: 'fault', found, fields: { plugin, during, message }, when });
  },
  toHaveQuarantined(this: MatcherState, received: unknown, { plugin, ...when }: ExpectedQuarantine = {}) {
    const found = candidates(received, 'EVT_PLUGINQUARANTINED', (event) => ({ ...event }));
    return verdict(this, { noun: 'quarantine', found, fields: { plugin }, when });
  },
  toHavePublished(
    this: MatcherState,
    received: unknown,
    name: EventName,
    expected: Readonly<Record<string, unknown>> = {},
    when: Occurrence = {},
  ) {
    const found = candidates(received, name, (event) => ({ ...event }));
    return verdict(this, { noun: name, found, fields: expected, when });
  },
};
