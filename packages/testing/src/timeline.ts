import { messageOf, type EventName, type Nanoseconds, type RmkEvent } from '@rmk/core';
import type { Recorded } from './eventHistory.js';

/** Events of a healthy guest: many of them in a row say nothing more than two. */
const ORDINARY: ReadonlySet<EventName> = new Set<EventName>([
  'EVT_CHECKPOINTED',
  'EVT_VMOUTPUT',
  'EVT_PAGEFAULT',
  'EVT_VMSCHEDULED',
  'EVT_VMSIGNAL',
]);
const LONGEST_RUN = 6;
const SHOWN_AT_EACH_END = 2;
const LONGEST_TEXT = 100;
const NAME_WIDTH = 22;
/** Shown in columns of their own, or not at all. */
const STAMPED: ReadonlySet<string> = new Set(['atNs', 'source', 'sequence']);

/** What of an event is worth a look, in a few words. All else is shown as it is. */
const DETAILS: { readonly [E in EventName]?: (event: RmkEvent<E>) => string } = {
  EVT_PAGEFAULT: ({ frames }) => `page frames ${frames.join(', ')}`,
  EVT_VMSIGNAL: ({ cause, privilege }) => `${cause} in ${privilege} mode`,
  EVT_VMSCHEDULED: ({ state, progress }) => [state, ...progress.map(({ sign }) => sign)].join(', '),
  EVT_VMOUTPUT: ({ device, data }) => `${device}: ${JSON.stringify(new TextDecoder().decode(data))}`,
  EVT_VMEXITED: ({ code }) => `exit code ${code}`,
  EVT_CHECKPOINTED: ({ checkpoint, algorithm, closed }) =>
    `${checkpoint.origin} by ${algorithm}${closed === undefined ? '' : `, ${closed.updated.length} pages written`}`,
  EVT_ROLLEDBACK: ({ to, rollback }) =>
    `to ${at(to.takenAtNs)}, ${rollback.pagesRestored} pages, ${at(rollback.undoneNs)} undone`,
  EVT_CHECKPOINTLOST: ({ checkpoints, reason }) => `${checkpoints}: ${reason}`,
  EVT_PROTECTIONRESTORED: ({ lostForNs }) => `lost for ${at(lostForNs)}`,
  EVT_ERRORDETECTED: ({ kind, cause, suspectSinceNs }) =>
    `${kind}: ${cause}${suspectSinceNs === undefined ? '' : `, suspect since ${at(suspectSinceNs)}`}`,
  EVT_RECOVERED: ({ record: { trigger, rung, occurrence, workLostNs } }) =>
    `${trigger.kind} of ${trigger.detector}: rung ${rung}, occurrence ${occurrence}` +
    (workLostNs === undefined ? '' : `, ${at(workLostNs)} of work lost`),
  EVT_RECOVERYFAILED: ({ trigger, reason, givenUp }) =>
    `${trigger.kind} of ${trigger.detector}${givenUp ? ', given up' : ''}: ${reason}`,
  EVT_PLUGINFAULT: ({ plugin, during, error }) => `${plugin} in ${during}: ${messageOf(error)}`,
  EVT_WARNING: ({ code, message }) => `${code}: ${message}`,
};

/** `'  12.500 ms  EVT_ERRORDETECTED   @rmk/hang-detector  hang: …'` for each event; long ordinary runs are folded. */
export function timelineOf(recorded: readonly Recorded[]): string {
  const lines: string[] = [];
  let run: Recorded[] = [];
  for (const one of recorded) {
    if (ORDINARY.has(one.name)) {
      run.push(one);
      continue;
    }
    lines.push(...folded(run), lineOf(one));
    run = [];
  }
  return [...lines, ...folded(run)].join('\n');
}

function folded(run: readonly Recorded[]): readonly string[] {
  if (run.length <= LONGEST_RUN) return run.map(lineOf);
  const left = run.slice(SHOWN_AT_EACH_END, -SHOWN_AT_EACH_END);
  const counts = new Map<EventName, number>();
  for (const { name } of left) counts.set(name, (counts.get(name) ?? 0) + 1);
  const summary = [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
  return [
    ...run.slice(0, SHOWN_AT_EACH_END).map(lineOf),
    `${' '.repeat(15)}  … ${summary} …`,
    ...run.slice(-SHOWN_AT_EACH_END).map(lineOf),
  ];
}

function lineOf({ name, event }: Recorded): string {
  const text = detailOf(name, event);
  const shown = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  return `${at(event.atNs).padStart(15)}  ${name.padEnd(NAME_WIDTH)}  ${event.source}  ${shown}`.trimEnd();
}

function detailOf<E extends EventName>(name: E, event: RmkEvent<E>): string {
  const detail = DETAILS[name];
  if (detail !== undefined) return detail(event);
  return Object.entries(event)
    .filter(([key]) => !STAMPED.has(key))
    .map(([key, value]) => `${key}: ${fieldText(value)}`)
    .join(', ');
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return messageOf(value);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return 'something that cannot be printed';
  }
}

/** A moment or a span in milliseconds. */
export function at(ns: Nanoseconds): string {
  return `${(ns / 1e6).toFixed(3)} ms`;
}
