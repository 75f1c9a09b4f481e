import {
  CORE_EVENTS,
  type Diagnostic,
  type EventName,
  type Facts,
  type Nanoseconds,
  type Plugin,
  type RmkEvent,
} from '@rmk/core';
import type { RunSummary } from './runSummary.js';

/** State of a guest while it runs. */
export interface GuestProgress {
  readonly name: string;
  readonly memoryBytes: number;
  /** Names of its plugins, in start order. */
  readonly plugins: readonly string[];
  /** Whether it ran before this run began, which took it over. */
  readonly attached: boolean;
  readonly domainNs: Nanoseconds;
  readonly checkpoints: number;
  readonly pageFaults: number;
}

/** Receives what happens in a run, as it happens. Must not throw. */
export interface RunObserver {
  /** Output of a guest that boots. Where this is missing, it follows as `output` once all guests have started. */
  booting?(guest: string, fact: Facts['output']): void;
  started(guests: readonly GuestProgress[]): void;
  output(guest: string, fact: Facts['output']): void;
  event<E extends EventName>(guest: string, name: E, event: RmkEvent<E>): void;
  /** What no event can report. */
  diagnostic(diagnostic: Diagnostic): void;
  ended(summary: RunSummary): void;
}

/** Events that come many times in a slice, and output, which an observer gets as a fact. */
const TOO_MANY: ReadonlySet<EventName> = new Set([
  'EVT_PAGEFAULT',
  'EVT_VMSIGNAL',
  'EVT_VMSCHEDULED',
  'EVT_VMOUTPUT',
] satisfies EventName[]);
/** Facts that an observer gets from the machine, whichever plugins are installed. */
const FROM_MACHINE: ReadonlySet<EventName> = new Set(['EVT_VMEXITED', 'EVT_VMGONE'] satisfies EventName[]);

/** The events that an observer receives: those of core, those that the plugins declare, and those of the config. */
export function observedEvents(
  plugins: readonly Plugin[],
  declared: readonly EventName[] = [],
): readonly EventName[] {
  const own = plugins.flatMap(({ definition }) => definition.events ?? []);
  const all = new Set<EventName>([...CORE_EVENTS, ...own, ...declared]);
  return [...all].filter((name) => !TOO_MANY.has(name) && !FROM_MACHINE.has(name));
}
