import { durationHint, isDuration, type Duration, type Plugin } from '@rmk/core';
import { GUESTS, type GuestName } from '@rmk/guests';
import type { QemuHypervisorOptions } from '@rmk/hypervisor-qemu';
import { domainSettings } from '@rmk/kernel';
import { microcheckpointOptions } from '@rmk/preset-microcheckpoint';
import { z } from 'zod';
import type { ConfiguredGuest } from '../defineConfig.js';
import { memoryBytes, MEMORY_SIZE_HINT } from './memorySize.js';

export const GUEST_NAMES: readonly string[] = Object.keys(GUESTS);

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;
const isPath = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Whether `value` is a plugin with a manifest, which may be malformed. */
export const isPlugin = (value: unknown): value is Plugin =>
  typeof value === 'object' &&
  value !== null &&
  'definition' in value &&
  typeof value.definition === 'object' &&
  value.definition !== null;

export const duration = z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) });
const path = z.custom<string>(isPath, 'expected the path of a file');
const directoryPath = z.custom<string>(isPath, 'expected the path of a directory');

/** Bytes as such, or as numbers, as JSON has them. */
const bytes = z
  .union(
    [z.custom<Uint8Array>(isBytes), z.array(z.int().min(0).max(255))],
    'expected bytes, numbers from 0 to 255',
  )
  .transform((data) => Uint8Array.from(data));

const fileOrBytes = (what: string) =>
  z.custom<string | Uint8Array>(
    (value) => isPath(value) || isBytes(value),
    `expected the path of ${what}, or its bytes`,
  );

const address = z
  .custom<number | string>(
    (value) => Number.isInteger(value) || (typeof value === 'string' && /^0x[0-9a-f]+$/i.test(value)),
    "expected a guest-physical address such as '0x81000000'",
  )
  .transform(Number);

/** What to write in place of an entry of `plugins` that is no plugin. */
export const pluginHint = (entry: unknown): string =>
  typeof entry === 'function'
    ? 'expected a plugin, given a function: definePlugin makes factories of plugins. Call this one.'
    : "expected a plugin, or its package such as { plugin: 'rmk-plugin-x', options: {} }";

/** Only their kind is checked here: the kernel checks the manifests. Named plugins are imported before. */
export const pluginsSchema = z.array(
  z.custom<Plugin>(isPlugin, { error: ({ input }) => pluginHint(input) }),
  'expected a list of plugins',
);

/** The plugins of a config once its named ones are imported. */
type ImportedPlugins = readonly Plugin[] | ((guest: ConfiguredGuest) => readonly Plugin[]);

const protect = z
  .union(
    [z.literal(false), microcheckpointOptions],
    'expected the options of the preset, or false for no protection',
  )
  .exactOptional();

const inputEntry = z.strictObject({
  at: duration,
  text: z.string().exactOptional(),
  line: z.string().exactOptional(),
  bytes: bytes.exactOptional(),
});

export const guestSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][\w.-]{0,63}$/,
      "expected letters, digits, '.', '_' and '-', at most 64, since files are named so",
    ),
  elf: fileOrBytes('an ELF file').exactOptional(),
  guest: z
    .custom<GuestName>((value) => typeof value === 'string' && GUEST_NAMES.includes(value), {
      error: `expected the name of a guest, one of ${GUEST_NAMES.join(', ')}`,
    })
    .exactOptional(),
  memory: z
    .custom<number | string>((value) => memoryBytes(value) !== undefined, MEMORY_SIZE_HINT)
    .transform((size) => memoryBytes(size) ?? Number.NaN)
    .exactOptional(),
  logPages: z.number().exactOptional(),
  engine: z.enum(['interpreter', 'translator']).exactOptional(),
  contextSwitch: z
    .union(
      [
        z.strictObject({ symbol: z.string(), offset: z.number().exactOptional() }),
        z.strictObject({ address: z.number() }),
      ],
      "expected { symbol: 'pxCurrentTCB' }, { symbol, offset } or { address }",
    )
    .exactOptional(),
  deviceTree: z.boolean().exactOptional(),
  bootArgs: z.string().exactOptional(),
  bootData: z
    .array(z.strictObject({ address, file: path.exactOptional(), data: bytes.exactOptional() }))
    .default([]),
  file: fileOrBytes('a file').exactOptional(),
  input: z
    .union([path, z.array(inputEntry)], 'expected entries of input, or the path of a script')
    .default([]),
  plugins: pluginsSchema.exactOptional(),
  protect,
});

export const configSchema = z.strictObject({
  // Validated one by one, so that a problem of one guest hides none of another.
  guests: z
    .array(z.unknown(), 'expected a list of guests')
    .min(1, "expected at least one guest, such as { name: 'tasks', guest: 'tasks' }"),
  plugins: z
    .custom<ImportedPlugins>(
      (value) => typeof value === 'function' || pluginsSchema.safeParse(value).success,
      'expected a list of plugins, or in TypeScript and JavaScript a function of the guest that returns one',
    )
    .exactOptional(),
  protect,
  // The values themselves are checked by the hypervisor.
  hypervisor: z
    .strictObject({
      frequencyHz: z.number().exactOptional(),
      slice: duration.exactOptional(),
      pace: z.enum(['none', 'wall-clock']).exactOptional(),
    })
    .default({}),
  qemu: z
    .looseObject({}, 'expected the options of the QEMU hypervisor')
    .transform((given): QemuHypervisorOptions => given)
    .default({}),
  ...domainSettings.shape,
  until: duration.exactOptional(),
  output: z
    .union(
      [z.literal('show'), z.literal('none'), z.strictObject({ directory: directoryPath })],
      "expected 'show', 'none' or { directory: … }",
    )
    .default('show'),
});

export type GuestEntry = z.output<typeof guestSchema>;
export type ConfigEntries = z.output<typeof configSchema>;
