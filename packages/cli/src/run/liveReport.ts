import { inspect } from 'node:util';
import { messageOf, type Diagnostic, type EventName, type Facts, type RmkEvent } from '@rmk/core';
import { authorFrames } from '@rmk/kernel';
import { colour } from '../colour.js';
import type { OutputPlan } from '../config/runPlan.js';
import { durationText } from '../durationText.js';
import { recoveryText } from '../recoveryText.js';
import type { Terminal } from '../terminal.js';
import { GuestConsole } from './guestConsole.js';
import type { GuestProgress, RunObserver } from './runObserver.js';
import type { RunSummary } from './runSummary.js';
import { Repetitions } from './repetitions.js';
import { StatusLine } from './statusLine.js';
import { summaryText } from './summaryText.js';

const COLOURS = [colour.cyan, colour.magenta, colour.blue, colour.yellow, colour.green];
/**
 * Console of the embedded board, and of QEMU. Other devices, such as the channel of a heartbeat, are not for people.
 */
const CONSOLES: ReadonlySet<string> = new Set(['uart', 'serial']);
const STATUS_MS = 100;
const NS_PER_SECOND = 1e9;

/** Reports a run to people: the guests' output, incidents, progress, and how it ended. */
export class LiveReport implements RunObserver {
  private readonly line: StatusLine;
  private readonly consoles = new Map<string, GuestConsole>();
  private readonly prefixes = new Map<string, string>();
  private readonly repetitions = new Repetitions();
  private status: NodeJS.Timeout | undefined;

  constructor(
    private readonly terminal: Terminal,
    private readonly outputPlan: OutputPlan,
    /** Whether faults are shown with the stack of the author's code. */
    private readonly isVerbose = false,
  ) {
    this.line = new StatusLine(terminal);
  }

  /** Its name is not aligned with those of other guests yet. */
  booting(guest: string, fact: Facts['output']): void {
    this.output(guest, fact);
  }

  started(guests: readonly GuestProgress[]): void {
    const width = Math.max(...guests.map(({ name }) => name.length));
    for (const [index, { name, memoryBytes, plugins, attached }] of guests.entries()) {
      const ownColour = COLOURS[index % COLOURS.length] ?? colour.white;
      this.prefixes.set(name, ownColour(name.padEnd(width)));
      const protection = plugins.length === 0 ? 'without plugins' : `${plugins.length} plugins`;
      const found = attached ? ', was running and is taken over' : '';
      this.say(name, colour.dim(`${memoryBytes / 2 ** 20} MiB, ${protection}${found}`));
    }
    if (!this.line.isShown) return;
    this.status = setInterval(() => this.line.set(statusText(guests)), STATUS_MS).unref();
  }

  output(guest: string, { device, position, data }: Facts['output']): void {
    if (this.outputPlan === 'show' && CONSOLES.has(device)) this.consoleOf(guest).append(position, data);
  }

  event<E extends EventName>(guest: string, name: E, event: RmkEvent<E>): void {
    const describe: EventText<E> | undefined = EVENT_TEXTS[name];
    const text =
      describe === undefined ? unknownEventText(name, event) : describe(event, this.repetitions, guest);
    if (text === undefined) return;
    this.say(guest, `${colour.dim(at(event.atNs))} ${text}`);
    if (this.isVerbose && 'error' in event) for (const line of stackLines(event.error)) this.say(guest, line);
  }

  diagnostic({ concern, message, error }: Diagnostic): void {
    this.line.print(`${colour.yellow(`${concern} warning`)}: ${message}`);
    if (this.isVerbose) for (const line of stackLines(error)) this.line.print(line);
  }

  ended(summary: RunSummary): void {
    clearInterval(this.status);
    for (const console of this.consoles.values()) console.finish();
    this.line.set('');
    this.terminal.out(`\n${summaryText(summary, this.outputPlan)}`);
  }

  /** Prints a line about a guest, as opposed to its own output. */
  private say(guest: string, text: string): void {
    this.line.print(`${this.prefixes.get(guest) ?? guest} ${colour.bold('●')} ${text}`);
  }

  private consoleOf(guest: string): GuestConsole {
    const known = this.consoles.get(guest);
    if (known !== undefined) return known;
    const made = new GuestConsole((line) =>
      this.line.print(`${this.prefixes.get(guest) ?? guest} │ ${line}`),
    );
    this.consoles.set(guest, made);
    return made;
  }
}

/** Undefined for what is not shown. */
type EventText<E extends EventName> = (
  event: RmkEvent<E>,
  repetitions: Repetitions,
  guest: string,
) => string | undefined;

const notShown = (): undefined => undefined;

/** Incidents, and what changes for a guest. Status line and summary show the ordinary course of a run. */
const EVENT_TEXTS: { readonly [E in EventName]?: EventText<E> } = {
  EVT_CHECKPOINTED: notShown,
  EVT_ROLLEDBACK: notShown,
  EVT_LOGLOST: notShown,
  EVT_VCPUSUSPENDED: notShown,
  EVT_VCPURESUMED: notShown,
  EVT_VMRESTARTED: notShown,
  EVT_CHANNELCHANGED: notShown,
  EVT_VMASLEEP: () => 'the guest suspended itself to RAM',
  EVT_VMAWAKE: () => 'the guest is awake',
  EVT_VMREBOOTED: () => 'the guest reboots',
  EVT_ERRORDETECTED: ({ kind, cause, source }) => `${colour.red(kind)} detected by ${source}: ${cause}`,
  EVT_RECOVERED: ({ record }) =>
    recoveryText(record) +
    ((record.outputStruckBytes ?? 0) === 0 ? '' : `, ${record.outputStruckBytes} bytes of output struck`),
  EVT_RECOVERYFAILED: ({ reason, givenUp }) =>
    `${colour.red(givenUp ? 'given up' : 'not recovered')}: ${reason}`,
  EVT_CHECKPOINTLOST: ({ checkpoints, reason }) => `${colour.yellow(lossText(checkpoints))}: ${reason}`,
  EVT_PROTECTIONLOST: ({ reason }) => `${colour.yellow('protection lost')}: ${reason}`,
  EVT_PROTECTIONRESTORED: ({ lostForNs }) =>
    `${colour.green('protected')} again after ${durationText(lostForNs)} without protection`,
  EVT_PLUGINFAULT: ({ plugin, during, error, faults }, repetitions, guest) => {
    const text = `in ${during}: ${messageOf(error)}${placeText(error)}`;
    const what = repetitions.isSameFault(guest, plugin, text) ? `in ${during}: again` : text;
    return `${colour.yellow('fault')} of ${plugin} ${what} (fault ${faults})`;
  },
  EVT_PLUGINQUARANTINED: ({ plugin, faults }) =>
    `${colour.yellow(`${plugin} quarantined`)} after ${faults} faults: the domain continues without it`,
  EVT_PLUGINSLOW: ({ plugin, during, tookHostMs, budgetHostMs, isPending }, repetitions, guest) => {
    // The host is this command itself.
    if (plugin === 'host') return undefined;
    const [took, budget] = [millisecondsText(tookHostMs), millisecondsText(budgetHostMs)];
    if (isPending !== true)
      return `${colour.yellow(`${plugin} is slow`)}: ${during} took ${took} (budget ${budget})`;
    const pending = repetitions.pending(guest, plugin, during, tookHostMs);
    if (pending === 'not') return undefined;
    const what = colour.yellow(`${plugin} holds the guest`);
    return `${what}: ${during} ${pending === 'again' ? 'still ' : ''}pending for ${took} (budget ${budget})`;
  },
  // Ordinary starts have no reason.
  EVT_PLUGINCHANGED: ({ plugin, from, to, reason }) =>
    reason === undefined ? undefined : `${plugin} ${from} → ${to}: ${reason}`,
  EVT_WARNING: ({ code, message }) => `${colour.yellow(code)}: ${message}`,
  EVT_VMEXITED: ({ code }) => `switched itself off with exit code ${code === 0 ? code : colour.red(code)}`,
  EVT_VMGONE: ({ reason }) => `${colour.red('its hypervisor is lost')}: ${reason}`,
};

/** None is lost if the first checkpoint of all could not be taken. */
function lossText(checkpoints: number): string {
  if (checkpoints === 0) return 'no checkpoint taken';
  return checkpoints === 1 ? '1 checkpoint lost' : `${checkpoints} checkpoints lost`;
}

/** An event that a plugin declares: its name and what it carries. */
function unknownEventText<E extends EventName>(name: E, event: RmkEvent<E>): string {
  const { atNs: _atNs, sequence: _sequence, source, ...payload } = event;
  const text = inspect(payload, { breakLength: Infinity, depth: 2, maxArrayLength: 8, maxStringLength: 80 });
  return `${name} from ${source}: ${text}`;
}

/** Where in the author's code it was thrown. */
function placeText(error: unknown): string {
  const [innermost] = authorFrames(error);
  return innermost === undefined ? '' : ` at ${innermost.place}`;
}

function stackLines(error: unknown): readonly string[] {
  return authorFrames(error).map(({ name, place }) =>
    colour.dim(`    at ${name === undefined ? '' : `${name} `}${place}`),
  );
}

function millisecondsText(ms: number): string {
  return durationText(ms * 1e6);
}

function statusText(guests: readonly GuestProgress[]): string {
  return guests
    .map(
      ({ name, domainNs, checkpoints, pageFaults }) =>
        `${name} ${(domainNs / NS_PER_SECOND).toFixed(2)} s, ${checkpoints} checkpoints, ${pageFaults} page faults`,
    )
    .join(' · ');
}

function at(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms:`;
}
