import type { Checkpoint } from './checkpoints.js';
import type { PluginState } from './pluginState.js';
import { WARNING_CODES } from './errors.js';
import type { CORE_EVENTS, RmkEvents } from './events.js';
import type { Facts, Privilege } from './machine.js';
import type { Rung } from './recovery.js';

/** A field of an event that its subscribers could not work with. */
export interface InvalidField {
  readonly field: string;
  readonly value: unknown;
  readonly expected: string;
}

/** An object of which nothing is known: its publisher may be JavaScript, or may have cast it. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown };

/**
 * The first invalid field of an event. Runs for each event that anyone subscribes to: allocates nothing if all is
 * valid.
 */
export type EventCheck = (event: Unchecked<object>) => InvalidField | undefined;

type CoreEvents = Pick<RmkEvents, (typeof CORE_EVENTS)[number]>;

const PRIVILEGES = namesOf<Privilege>({ user: true, kernel: true, machine: true });
const VM_STATES = namesOf<Facts['scheduled']['state']>({ ran: true, idle: true, halted: true });
const ORIGINS = namesOf<Checkpoint['origin']>({ first: true, interval: true, request: true, rollback: true });
const RUNGS = namesOf<Rung>({ target: true, older: true, newer: true, only: true, restart: true });
const PLUGIN_STATES = namesOf<PluginState>({
  pending: true,
  starting: true,
  active: true,
  failed: true,
  quarantined: true,
  stopping: true,
  removed: true,
});
const WARNINGS: ReadonlySet<unknown> = new Set(Object.keys(WARNING_CODES));

const checks: { readonly [E in keyof CoreEvents]: (event: Unchecked<CoreEvents[E]>) => Invalid } = {
  EVT_PAGEFAULT: ({ atNs, frames }) => time('atNs', atNs) ?? bytes('frames', frames),
  EVT_LOGLOST: ({ atNs, reason }) => time('atNs', atNs) ?? text('reason', reason),
  EVT_VMSIGNAL: ({ atNs, cause, privilege }) =>
    time('atNs', atNs) ?? text('cause', cause) ?? oneOf('privilege', privilege, PRIVILEGES),
  EVT_VMSCHEDULED: ({ atNs, cpuNs, idleNs, haltedNs, instructions, state, progress }) =>
    time('atNs', atNs) ??
    time('cpuNs', cpuNs) ??
    time('idleNs', idleNs) ??
    time('haltedNs', haltedNs) ??
    (instructions === undefined ? undefined : count('instructions', instructions)) ??
    oneOf('state', state, VM_STATES) ??
    list('progress', progress),
  EVT_VMOUTPUT: ({ atNs, device, data, position, guestNs, epoch }) =>
    time('atNs', atNs) ??
    text('device', device) ??
    bytes('data', data) ??
    count('position', position) ??
    time('guestNs', guestNs) ??
    count('epoch', epoch),
  EVT_CHANNELCHANGED: ({ atNs, device, isOpen }) =>
    time('atNs', atNs) ?? text('device', device) ?? yesOrNo('isOpen', isOpen),
  EVT_VMASLEEP: ({ atNs }) => time('atNs', atNs),
  EVT_VMAWAKE: ({ atNs }) => time('atNs', atNs),
  EVT_VMREBOOTED: ({ atNs }) => time('atNs', atNs),
  EVT_VMEXITED: ({ atNs, code }) => time('atNs', atNs) ?? finite('code', code),
  EVT_VMGONE: ({ atNs, reason }) => time('atNs', atNs) ?? text('reason', reason),
  EVT_VCPUSUSPENDED: ({ atNs }) => time('atNs', atNs),
  EVT_VCPURESUMED: ({ atNs }) => time('atNs', atNs),
  EVT_VMRESTARTED: ({ atNs }) => time('atNs', atNs),
  EVT_CHECKPOINTED: ({ atNs, checkpoint, algorithm, closed }) =>
    time('atNs', atNs) ??
    aCheckpoint('checkpoint', checkpoint) ??
    text('algorithm', algorithm) ??
    (closed === undefined ? undefined : object('closed', closed)),
  EVT_ROLLEDBACK: ({ atNs, to, rollback }) =>
    time('atNs', atNs) ?? aCheckpoint('to', to) ?? aRollback('rollback', rollback),
  EVT_CHECKPOINTLOST: ({ atNs, reason, checkpoints, endsProtection }) =>
    time('atNs', atNs) ??
    text('reason', reason) ??
    count('checkpoints', checkpoints) ??
    yesOrNo('endsProtection', endsProtection),
  EVT_PROTECTIONLOST: ({ atNs, reason }) => time('atNs', atNs) ?? text('reason', reason),
  EVT_PROTECTIONRESTORED: ({ atNs, lostForNs }) => time('atNs', atNs) ?? time('lostForNs', lostForNs),
  // The hints (`suspectSinceNs`, `latency`, `place`) are not checked: a recovery ignores an invalid one, and to lose
  // the detection because of it would cost more.
  EVT_ERRORDETECTED: ({ atNs, kind, cause }) =>
    time('atNs', atNs) ?? name('kind', kind) ?? text('cause', cause),
  EVT_RECOVERED: ({ atNs, record }) => time('atNs', atNs) ?? aRecord('record', record),
  EVT_RECOVERYFAILED: ({ atNs, trigger, attempts, reason, givenUp }) =>
    time('atNs', atNs) ??
    object('trigger', trigger) ??
    list('attempts', attempts) ??
    text('reason', reason) ??
    yesOrNo('givenUp', givenUp),
  EVT_PLUGINFAULT: ({ atNs, plugin, during, occurrence, faults }) =>
    time('atNs', atNs) ??
    name('plugin', plugin) ??
    text('during', during) ??
    count('occurrence', occurrence) ??
    count('faults', faults),
  EVT_PLUGINQUARANTINED: ({ atNs, plugin, faults }) =>
    time('atNs', atNs) ?? name('plugin', plugin) ?? count('faults', faults),
  EVT_PLUGINSLOW: ({ atNs, plugin, during, occurrence, tookHostMs, budgetHostMs, times }) =>
    time('atNs', atNs) ??
    name('plugin', plugin) ??
    text('during', during) ??
    count('occurrence', occurrence) ??
    time('tookHostMs', tookHostMs) ??
    time('budgetHostMs', budgetHostMs) ??
    count('times', times),
  EVT_PLUGINCHANGED: ({ atNs, plugin, from, to, provides }) =>
    time('atNs', atNs) ??
    name('plugin', plugin) ??
    oneOf('from', from, PLUGIN_STATES) ??
    oneOf('to', to, PLUGIN_STATES) ??
    list('provides', provides),
  EVT_WARNING: ({ atNs, code, message }) =>
    time('atNs', atNs) ?? oneOf('code', code, WARNINGS) ?? text('message', message),
};

/** By the names of events. Events of third parties have no check: they carry what their authors like. */
export const EVENT_CHECKS: ReadonlyMap<string, EventCheck> = new Map(Object.entries(checks));

type Invalid = InvalidField | undefined;

function time(field: string, value: unknown): Invalid {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return undefined;
  return { field, value, expected: 'a finite number of 0 or more' };
}

function count(field: string, value: unknown): Invalid {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return undefined;
  return { field, value, expected: 'a whole number of 0 or more' };
}

function finite(field: string, value: unknown): Invalid {
  return Number.isFinite(value) ? undefined : { field, value, expected: 'a finite number' };
}

function yesOrNo(field: string, value: unknown): Invalid {
  return typeof value === 'boolean' ? undefined : { field, value, expected: 'true or false' };
}

function text(field: string, value: unknown): Invalid {
  return typeof value === 'string' ? undefined : { field, value, expected: 'a string' };
}

function name(field: string, value: unknown): Invalid {
  if (typeof value === 'string' && value !== '') return undefined;
  return { field, value, expected: 'a string that is not empty' };
}

function oneOf(field: string, value: unknown, names: ReadonlySet<unknown>): Invalid {
  return names.has(value) ? undefined : { field, value, expected: `one of ${[...names].join(', ')}` };
}

function list(field: string, value: unknown): Invalid {
  return Array.isArray(value) ? undefined : { field, value, expected: 'an array' };
}

function bytes(field: string, value: unknown): Invalid {
  return ArrayBuffer.isView(value) ? undefined : { field, value, expected: 'a typed array' };
}

function object(field: string, value: unknown): Invalid {
  return isObject(value) ? undefined : { field, value, expected: 'an object' };
}

function aCheckpoint(field: string, value: unknown): Invalid {
  if (!isObject(value)) return object(field, value);
  const { takenAtNs, origin }: Unchecked<Checkpoint> = value;
  return within(field, time('takenAtNs', takenAtNs) ?? oneOf('origin', origin, ORIGINS));
}

function aRollback(field: string, value: unknown): Invalid {
  if (!isObject(value)) return object(field, value);
  const {
    pagesRestored,
    undoneNs,
    outputStruckBytes,
    reopened,
  }: Unchecked<RmkEvents['EVT_ROLLEDBACK']['rollback']> = value;
  return within(
    field,
    count('pagesRestored', pagesRestored) ??
      time('undoneNs', undoneNs) ??
      count('outputStruckBytes', outputStruckBytes) ??
      aCheckpoint('reopened', reopened),
  );
}

function aRecord(field: string, value: unknown): Invalid {
  if (!isObject(value)) return object(field, value);
  const { trigger, rung, attempts, occurrence }: Unchecked<RmkEvents['EVT_RECOVERED']['record']> = value;
  return within(
    field,
    object('trigger', trigger) ??
      oneOf('rung', rung, RUNGS) ??
      list('attempts', attempts) ??
      count('occurrence', occurrence),
  );
}

function within(outer: string, invalid: Invalid): Invalid {
  return invalid === undefined ? undefined : { ...invalid, field: `${outer}.${invalid.field}` };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** All members of a union, as the compiler sees to it. */
function namesOf<N extends string>(names: Readonly<Record<N, true>>): ReadonlySet<unknown> {
  return new Set(Object.keys(names));
}
