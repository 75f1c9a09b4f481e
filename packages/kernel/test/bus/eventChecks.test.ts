import 'reflect-metadata';
import {
  CORE_EVENTS,
  EVENT_CHECKS,
  messageOf,
  type EventName,
  type InvalidField,
  type RmkEvents,
} from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, plugin } from '../testDomain.js';

type CoreEvents = Pick<RmkEvents, (typeof CORE_EVENTS)[number]>;

const checkpoint = { takenAtNs: 3, origin: 'interval' } as const;
const rollback = { pagesRestored: 4, undoneNs: 5, outputStruckBytes: 6, reopened: checkpoint } as const;
const trigger = { kind: 'hang', cause: 'no progress', atNs: 7, detector: 'detector' } as const;
const record = {
  trigger,
  rung: 'target',
  attempts: [{ rung: 'target' }],
  occurrence: 1,
  pagesRestored: 4,
  steps: { suspendHostNs: 1, rollbackHostNs: 2, resumeHostNs: 3 },
  durationHostNs: 6,
} as const;

/** One valid event of each kind, with every field that is checked. */
const valid: CoreEvents = {
  EVT_PAGEFAULT: { atNs: 0, frames: Uint32Array.of(1) },
  EVT_LOGLOST: { atNs: 0, reason: 'full' },
  EVT_VMSIGNAL: { atNs: 0, cause: 'load-access-fault', privilege: 'kernel' },
  EVT_VMSCHEDULED: {
    atNs: 0,
    cpuNs: 1,
    idleNs: 2,
    haltedNs: 0,
    instructions: 9,
    state: 'idle',
    progress: [],
  },
  EVT_VMOUTPUT: { atNs: 0, device: 'uart', data: Uint8Array.of(65), position: 0, guestNs: 0, epoch: 0 },
  EVT_CHANNELCHANGED: { atNs: 0, device: 'heartbeat', isOpen: false },
  EVT_VMASLEEP: { atNs: 0 },
  EVT_VMAWAKE: { atNs: 0 },
  EVT_VMREBOOTED: { atNs: 0 },
  EVT_VMEXITED: { atNs: 0, code: -1 },
  EVT_VMGONE: { atNs: 0, reason: 'closed' },
  EVT_VCPUSUSPENDED: { atNs: 0 },
  EVT_VCPURESUMED: { atNs: 0 },
  EVT_VMRESTARTED: { atNs: 0 },
  EVT_CHECKPOINTED: { atNs: 0, checkpoint, algorithm: 'COWB' },
  EVT_ROLLEDBACK: { atNs: 0, to: checkpoint, rollback },
  EVT_CHECKPOINTLOST: { atNs: 0, reason: 'full', checkpoints: 1, endsProtection: true },
  EVT_PROTECTIONLOST: { atNs: 0, reason: 'no agent' },
  EVT_PROTECTIONRESTORED: { atNs: 0, lostForNs: 0 },
  EVT_ERRORDETECTED: { atNs: 0, kind: 'hang', cause: 'no progress' },
  EVT_RECOVERED: { atNs: 0, record },
  EVT_RECOVERYFAILED: { atNs: 0, trigger, attempts: [], reason: 'no checkpoint', givenUp: true },
  EVT_PLUGINFAULT: { atNs: 0, plugin: 'a', during: 'timer', occurrence: 0, error: undefined, faults: 1 },
  EVT_PLUGINQUARANTINED: { atNs: 0, plugin: 'a', faults: 0 },
  EVT_PLUGINSLOW: {
    atNs: 0,
    plugin: 'a',
    during: 'timer',
    occurrence: 0,
    tookHostMs: 2,
    budgetHostMs: 1,
    times: 1,
  },
  EVT_PLUGINCHANGED: { atNs: 0, plugin: 'a', from: 'pending', to: 'starting', provides: [] },
  EVT_WARNING: { atNs: 0, code: 'RMK_WARN_RISK', message: 'risky' },
};

const check = (name: string, event: object): InvalidField | undefined => EVENT_CHECKS.get(name)?.(event);

/** `event` with `value` at `path`, such as `rollback.undoneNs`. */
function withField(event: object, path: string, value: unknown): object {
  const [first = '', ...rest] = path.split('.');
  const inner: unknown = Reflect.get(event, first);
  return {
    ...event,
    [first]: rest.length === 0 ? value : withField(inner as object, rest.join('.'), value),
  };
}

describe('The check of an event of core', () => {
  it('exists for each of them', () => {
    expect([...EVENT_CHECKS.keys()].toSorted()).toEqual([...CORE_EVENTS].toSorted());
  });

  it.each(Object.entries(valid))('accepts a valid %s', (name, event) => {
    expect(check(name, event)).toBeUndefined();
  });

  const TIME = 'a finite number of 0 or more';
  const COUNT = 'a whole number of 0 or more';
  const TEXT = 'a string';
  const NAME = 'a string that is not empty';
  const STATES = 'one of pending, starting, active, failed, quarantined, stopping, removed';

  it.each<[EventName, string, unknown, string]>([
    ...CORE_EVENTS.map((name): [EventName, string, unknown, string] => [name, 'atNs', -1, TIME]),
    ['EVT_PAGEFAULT', 'frames', [1], 'a typed array'],
    ['EVT_LOGLOST', 'reason', undefined, TEXT],
    ['EVT_VMSIGNAL', 'cause', 7, TEXT],
    ['EVT_VMSIGNAL', 'privilege', 'root', 'one of user, kernel, machine'],
    ['EVT_VMSCHEDULED', 'cpuNs', NaN, TIME],
    ['EVT_VMSCHEDULED', 'idleNs', -1, TIME],
    ['EVT_VMSCHEDULED', 'haltedNs', '1', TIME],
    ['EVT_VMSCHEDULED', 'instructions', 1.5, COUNT],
    ['EVT_VMSCHEDULED', 'state', 'asleep', 'one of ran, idle, halted'],
    ['EVT_VMSCHEDULED', 'progress', undefined, 'an array'],
    ['EVT_VMOUTPUT', 'device', undefined, TEXT],
    ['EVT_VMOUTPUT', 'data', 'text', 'a typed array'],
    ['EVT_VMOUTPUT', 'position', -1, COUNT],
    ['EVT_VMOUTPUT', 'guestNs', Infinity, TIME],
    ['EVT_VMOUTPUT', 'epoch', undefined, COUNT],
    ['EVT_CHANNELCHANGED', 'isOpen', 'no', 'true or false'],
    ['EVT_VMEXITED', 'code', '0', 'a finite number'],
    ['EVT_VMGONE', 'reason', null, TEXT],
    ['EVT_CHECKPOINTED', 'checkpoint', undefined, 'an object'],
    ['EVT_CHECKPOINTED', 'checkpoint.takenAtNs', undefined, TIME],
    ['EVT_CHECKPOINTED', 'checkpoint.origin', 'chance', 'one of first, interval, request, rollback'],
    ['EVT_CHECKPOINTED', 'algorithm', undefined, TEXT],
    ['EVT_CHECKPOINTED', 'closed', 5, 'an object'],
    ['EVT_ROLLEDBACK', 'to', null, 'an object'],
    ['EVT_ROLLEDBACK', 'rollback', undefined, 'an object'],
    ['EVT_ROLLEDBACK', 'rollback.pagesRestored', -1, COUNT],
    ['EVT_ROLLEDBACK', 'rollback.undoneNs', NaN, TIME],
    ['EVT_ROLLEDBACK', 'rollback.outputStruckBytes', undefined, COUNT],
    ['EVT_ROLLEDBACK', 'rollback.reopened.takenAtNs', -3, TIME],
    ['EVT_CHECKPOINTLOST', 'reason', 1, TEXT],
    ['EVT_CHECKPOINTLOST', 'checkpoints', 0.5, COUNT],
    ['EVT_CHECKPOINTLOST', 'endsProtection', undefined, 'true or false'],
    ['EVT_PROTECTIONLOST', 'reason', undefined, TEXT],
    ['EVT_PROTECTIONRESTORED', 'lostForNs', undefined, TIME],
    ['EVT_ERRORDETECTED', 'kind', '', NAME],
    ['EVT_ERRORDETECTED', 'cause', undefined, TEXT],
    ['EVT_RECOVERED', 'record', undefined, 'an object'],
    ['EVT_RECOVERED', 'record.trigger', 'hang', 'an object'],
    ['EVT_RECOVERED', 'record.rung', 'luck', 'one of target, older, newer, only, restart'],
    ['EVT_RECOVERED', 'record.attempts', undefined, 'an array'],
    ['EVT_RECOVERED', 'record.occurrence', undefined, COUNT],
    ['EVT_RECOVERYFAILED', 'trigger', undefined, 'an object'],
    ['EVT_RECOVERYFAILED', 'attempts', {}, 'an array'],
    ['EVT_RECOVERYFAILED', 'reason', undefined, TEXT],
    ['EVT_RECOVERYFAILED', 'givenUp', undefined, 'true or false'],
    ['EVT_PLUGINFAULT', 'plugin', '', NAME],
    ['EVT_PLUGINFAULT', 'during', undefined, TEXT],
    ['EVT_PLUGINFAULT', 'occurrence', -1, COUNT],
    ['EVT_PLUGINFAULT', 'faults', undefined, COUNT],
    ['EVT_PLUGINQUARANTINED', 'plugin', undefined, NAME],
    ['EVT_PLUGINQUARANTINED', 'faults', -1, COUNT],
    ['EVT_PLUGINSLOW', 'plugin', undefined, NAME],
    ['EVT_PLUGINSLOW', 'during', undefined, TEXT],
    ['EVT_PLUGINSLOW', 'occurrence', undefined, COUNT],
    ['EVT_PLUGINSLOW', 'tookHostMs', NaN, TIME],
    ['EVT_PLUGINSLOW', 'budgetHostMs', undefined, TIME],
    ['EVT_PLUGINSLOW', 'times', undefined, COUNT],
    ['EVT_PLUGINCHANGED', 'plugin', undefined, NAME],
    ['EVT_PLUGINCHANGED', 'from', 'asleep', STATES],
    ['EVT_PLUGINCHANGED', 'to', undefined, STATES],
    ['EVT_PLUGINCHANGED', 'provides', 'P_VMIO', 'an array'],
    ['EVT_WARNING', 'message', undefined, TEXT],
  ])('rejects %s with %s = %o', (name, field, value, expected) => {
    const event = withField(valid[name as keyof CoreEvents], field, value);
    expect(check(name, event)).toEqual({ field, value, expected });
  });

  it('rejects a warning with a code that core does not list', () => {
    const event = { ...valid.EVT_WARNING, code: 'RMK_WARN_OTHER' };
    expect(check('EVT_WARNING', event)?.expected).toContain('RMK_WARN_RISK');
  });

  it('accepts a detection whose hints are invalid, since a recovery ignores those', () => {
    const hints = { suspectSinceNs: NaN, latency: 5, place: 6 };
    expect(check('EVT_ERRORDETECTED', { ...valid.EVT_ERRORDETECTED, ...hints })).toBeUndefined();
  });

  it('throws nothing, whatever is published', () => {
    const anything = fc.dictionary(
      fc.constantFrom('atNs', 'checkpoint', 'to', 'rollback', 'record', 'trigger', 'kind', 'code'),
      fc.anything({ withBigInt: true, withNullPrototype: true }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...CORE_EVENTS), anything, (name, event) => {
        expect(() => check(name, event)).not.toThrow();
      }),
    );
  });
});

describe('An invalid event', () => {
  it('is a fault of its publisher, and reaches no subscriber', async () => {
    const seen: unknown[] = [];
    const faults: unknown[] = [];
    const { domain } = await domainOf([
      plugin('subscriber', (bus) => void bus.on('EVT_VMSCHEDULED', (event) => void seen.push(event))),
      plugin('publisher', (bus) => {
        const topic = bus.topic('EVT_VMSCHEDULED');
        bus.on('EVT_VMEXITED', () => topic.publish({ ...valid.EVT_VMSCHEDULED, idleNs: -5 }));
      }),
    ]);
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin: by, error }) => void faults.push([by, messageOf(error)]));
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    expect(seen).toEqual([]);
    expect(faults).toEqual([
      [
        'publisher',
        'RMK_ERR_INPUT: publisher: EVT_VMSCHEDULED was published with an invalid idleNs: expected a finite number of 0 or more, given -5',
      ],
    ]);
  });

  it.each([
    ['text', '"text"'],
    [
      {
        toString: () => {
          throw new Error('no');
        },
      },
      'object',
    ],
    [undefined, 'undefined'],
    [() => 5, 'function'],
  ])('is described without running code of its publisher: %o', async (atNs, shown) => {
    const { domain } = await domainOf([]);
    domain.bus.on('EVT_VCPURESUMED', () => {});
    const topic = domain.bus.topic('EVT_VCPURESUMED');
    const event = { atNs } as unknown as { atNs: number };
    expect(() => topic.publish(event)).toThrow(`expected a finite number of 0 or more, given ${shown}`);
  });
});
