import {
  nanoseconds,
  RmkError,
  type Duration,
  type EventName,
  type Nanoseconds,
  type RmkEvent,
} from '@rmk/core';
import type { MatcherState } from 'vitest';
import type { EventHistory } from './eventHistory.js';
import { at } from './timeline.js';

const LONGEST_TIMELINE = 40;
const LONGEST_LIST = 5;

/** When, and how often; without it: at any time, at least once. */
export interface Occurrence {
  /** Domain time from which on events are looked at. */
  readonly since?: Nanoseconds;
  /** At most so long after `since`. */
  readonly within?: Duration;
  /** Exactly so often. */
  readonly times?: number;
}

/** An event that may be the one, with those of its fields that can be asked for. */
interface Candidate {
  readonly atNs: Nanoseconds;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Candidates {
  readonly history: EventHistory;
  readonly all: readonly Candidate[];
}

export interface Sought {
  readonly noun: string;
  readonly found: Candidates;
  /** Those that are `undefined` may be anything. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly when: Occurrence;
}

export function candidates<E extends EventName>(
  received: unknown,
  name: E,
  fieldsOf: (event: RmkEvent<E>) => Readonly<Record<string, unknown>>,
): Candidates {
  const history = historyOf(received);
  const all = history.events(name).map((event) => ({ atNs: event.atNs, fields: fieldsOf(event) }));
  return { history, all };
}

/** `RMK_ERR_INPUT` where something else was given to `expect`. */
export function historyOf(received: unknown): EventHistory {
  if (typeof received === 'object' && received !== null && 'recorded' in received && 'timeline' in received) {
    return received as EventHistory;
  }
  throw new RmkError(
    'RMK_ERR_INPUT',
    `the matchers of @rmk/testing look at a rig or a recorder, and expect() was given ${typeof received}`,
  );
}

export function shown(history: EventHistory): string {
  const lines = history.timeline().split('\n');
  if (lines[0] === '') return 'No event was recorded.';
  const hidden = lines.length - LONGEST_TIMELINE;
  if (hidden <= 0) return `Recorded:\n${lines.join('\n')}`;
  const last = lines.slice(-LONGEST_TIMELINE).join('\n');
  return `Recorded, without the first ${hidden} lines (rig.timeline() has all):\n${last}`;
}

/** The first of `lines`, and how many more there are. */
function atMost(lines: readonly string[]): readonly string[] {
  const hidden = lines.length - LONGEST_LIST;
  return hidden <= 0 ? lines : [...lines.slice(0, LONGEST_LIST), `  … and ${hidden} more`];
}

/** Looks for what is sought, and says what was there instead. */
export function verdict(
  { equals, utils, isNot }: MatcherState,
  { noun, found: { history, all }, fields, when }: Sought,
): { readonly pass: boolean; readonly message: () => string } {
  refuseUnknown(noun, fields, when);
  const wanted = Object.entries(fields).filter(([, value]) => value !== undefined);
  const sinceNs = when.since ?? 0;
  const untilNs = when.within === undefined ? Infinity : sinceNs + nanoseconds(when.within);
  const differences = all.map((candidate) => ({
    candidate,
    wrong: [
      ...(candidate.atNs < sinceNs ? [`before ${at(sinceNs)}`] : []),
      ...(candidate.atNs > untilNs ? [`later than ${at(untilNs)}`] : []),
      ...wanted
        .filter(
          ([key, value]) =>
            !equals(candidate.fields[key], value, [utils.iterableEquality, utils.subsetEquality]),
        )
        .map(([key]) => `${key} is ${utils.stringify(candidate.fields[key])}`),
    ],
  }));
  const fitting = differences.filter(({ wrong }) => wrong.length === 0);
  const pass = when.times === undefined ? fitting.length > 0 : fitting.length === when.times;
  const message = (): string => {
    const conditions = [
      ...wanted.map(([key, value]) => `${key} ${utils.stringify(value)}`),
      ...(when.since === undefined && when.within === undefined ? [] : [`from ${at(sinceNs)} on`]),
      ...(when.within === undefined ? [] : [`within ${when.within}`]),
    ];
    const count = when.times === undefined ? 'a' : `exactly ${when.times} ×`;
    const sought = `${isNot ? 'no' : count} ${noun}${conditions.length === 0 ? '' : ` with ${conditions.join(', ')}`}`;
    const others = differences
      .filter(({ wrong }) => wrong.length > 0)
      .map(({ candidate, wrong }) => `  not the one at ${at(candidate.atNs)}: ${wrong.join('; ')}`);
    const fits = fitting.map(({ candidate }) => `  it fits: the one at ${at(candidate.atNs)}`);
    return [
      `expected ${sought}, and ${numberOf(fitting.length)}`,
      ...atMost(fits),
      ...atMost(others),
      '',
      shown(history),
    ].join('\n');
  };
  return { pass, message };
}

function numberOf(count: number): string {
  if (count === 0) return 'there was none';
  return count === 1 ? 'there was one' : `there were ${count}`;
}

const WHEN = ['since', 'within', 'times'] as const satisfies readonly (keyof Occurrence)[];

/** Of what is misspelt nothing would be required: `not` would fit, and mean nothing. */
function refuseUnknown(noun: string, fields: Sought['fields'], when: Occurrence): void {
  const unknown = Object.keys(when).filter((key) => !WHEN.some((known) => known === key));
  if (unknown.length === 0) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `a ${noun} cannot be asked for by ${unknown.join(', ')}: choose among ${[...Object.keys(fields), ...WHEN].join(', ')}`,
  );
}
