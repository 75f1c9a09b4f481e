import {
  DURATION_HINT,
  durationHint,
  isDuration,
  isThenable,
  LONGEST_TIMER_MS,
  membersOf,
  nanoseconds,
  pathText,
  RmkError,
  VIRTUAL_MACHINE,
  type Bus,
  type Duration,
  type EventName,
  type OnFailure,
  type Plugin,
  type VirtualMachine,
} from '@rmk/core';
import { z } from 'zod';
import { NameOfEvent, ON_FAILURE } from './plugins/manifest.js';
import { unknownKeys } from './plugins/schema.js';
import type { SupervisionOptions } from './supervision/supervision.js';
import type { Timeouts } from './supervision/timeout.js';

export interface DomainOptions {
  readonly name: string;
  /** Belongs to this domain until the domain stops. The caller closes it. */
  readonly machine: VirtualMachine;
  /** Started in this order, unless their requirements demand another one. */
  readonly plugins: readonly Plugin[];
  /** By the names of plugins. Overrides what their authors chose. */
  readonly onFailure?: Readonly<Record<string, OnFailure>>;
  readonly supervision?: SupervisionOptions;
  readonly timeouts?: Timeouts;
  /** Events of the program around the domain, besides those of core and of the plugins. */
  readonly events?: readonly EventName[];
  /** Called before the first plugin starts, so a subscriber misses nothing. */
  readonly observe?: (bus: Bus) => void;
}

const OneOnFailure = z.enum(ON_FAILURE, `expected one of ${ON_FAILURE.join(', ')}`).optional();
const ADuration = z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }).optional();
const TimeoutSchema = z
  .custom<Duration>(
    (limit) => isDuration(limit) && nanoseconds(limit) / 1e6 <= LONGEST_TIMER_MS,
    `${DURATION_HINT}, at most 24 days`,
  )
  .optional();
const AMachine = z.custom(
  (given) =>
    typeof given === 'object' &&
    given !== null &&
    membersOf(VIRTUAL_MACHINE).every((member) => member in given),
  'expected a VM of a hypervisor, such as EmbeddedHypervisor.createMachine makes',
);
const WHOLE = 'expected a whole number of 1 or more';

/** The options of `createDomain` that fit in a config file. */
export const domainSettings = z.strictObject({
  onFailure: z.record(z.string(), OneOnFailure).optional(),
  supervision: z
    .strictObject({
      quarantineAfterFaults: z.int(WHOLE).min(1, WHOLE).optional(),
      faultWindow: ADuration,
      restartAfter: z
        .custom<unknown>((given) => given === 'never' || isDuration(given), `${DURATION_HINT}, or 'never'`)
        .optional(),
      handlerBudget: ADuration,
    })
    .optional(),
  timeouts: z.strictObject({ start: TimeoutSchema, stop: TimeoutSchema }).optional(),
  events: z.array(NameOfEvent, 'expected an array of names of events').optional(),
});

const Options = z.strictObject({
  name: z.string('expected a name').min(1, 'expected a name'),
  machine: AMachine,
  plugins: z.array(z.unknown(), 'expected an array of plugins'),
  ...domainSettings.shape,
  observe: z.custom((given) => typeof given === 'function', 'expected a function').optional(),
});
const Install = z.strictObject({ onFailure: OneOnFailure });
const Remove = z.strictObject({
  dependants: z.enum(['refuse', 'remove'], 'expected one of refuse, remove').optional(),
});

export function checkDomainOptions(given: unknown): void {
  refuseInvalid('createDomain', Options, given);
}

export function checkInstallOptions(given: unknown): void {
  refuseInvalid('install', Install, given);
}

export function checkRemoveOptions(given: unknown): void {
  refuseInvalid('remove', Remove, given);
}

/** Throws RMK_ERR_INPUT with everything that is wrong with the options of `operation`. */
export function refuseInvalid(operation: string, schema: z.ZodType, given: unknown): void {
  const problems = schema.safeParse(given).error?.issues.flatMap((issue) => {
    const { path, message } = issue;
    const said = { path: pathText(path), message: `${message}${givenText(path.reduce(valueIn, given))}` };
    return unknownKeys(schema, issue, []) ?? [said];
  });
  if (problems !== undefined)
    throw new RmkError('RMK_ERR_INPUT', `${operation}: invalid options`, { problems });
}

function valueIn(object: unknown, key: PropertyKey): unknown {
  return typeof object === 'object' && object !== null ? Reflect.get(object, key) : undefined;
}

function givenText(value: unknown): string {
  if (isThenable(value)) return ', given a promise: await it';
  if (typeof value === 'object' && value !== null) return '';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `, given ${typeof value === 'function' ? 'a function: call it, and await what it gives where it is async' : text}`;
}
