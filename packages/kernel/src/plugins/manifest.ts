import {
  isThenable,
  messageOf,
  RMK_VERSION,
  RmkError,
  type Class,
  type Detection,
  type MachineTraits,
  type OnFailure,
  type Plugin,
  type PluginDefinition,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import { satisfies, valid, validRange } from 'semver';
import { z } from 'zod';
import { injectionErrors } from './injectable.js';
import { suggestion } from './nearest.js';
import { isStandardSchema, validate } from './schema.js';
import { HOST, KERNEL } from '../bus/sources.js';
import type { Timeout } from '../supervision/timeout.js';

/** A plugin with a valid manifest and valid options. */
export interface CheckedPlugin {
  readonly name: string;
  readonly definition: PluginDefinition;
  /** Output of the plugin's schema. Undefined without a schema. */
  readonly options: unknown;
  readonly detections: readonly Detection[];
}

export const ON_FAILURE = ['abort', 'continue', 'quarantine'] as const satisfies readonly OnFailure[];

/** The host's `onFailure`, by the names of plugins. Throws RMK_ERR_UNKNOWN for a name that no plugin has. */
export function readOnFailure(
  stated: Readonly<Record<string, OnFailure>>,
  plugins: readonly CheckedPlugin[],
): ReadonlyMap<string, OnFailure> {
  const names = plugins.map(({ name }) => name);
  for (const name of Object.keys(stated)) {
    if (!names.includes(name)) {
      throw new RmkError(
        'RMK_ERR_UNKNOWN',
        `onFailure: no plugin that is given is named ${name}: ${suggestion(name, names)}`,
      );
    }
  }
  return new Map(Object.entries(stated));
}

/** The name in messages about a plugin without one. */
const NAMELESS = 'a plugin without a name';

const NPM_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

const Name = z
  .string()
  .regex(NPM_NAME, 'expected the npm name of the package, such as rmk-plugin-thermometer')
  .refine((name) => name !== KERNEL && name !== HOST, 'the name is taken by RMK itself: choose another');
const AnyClass = z.custom<Class>(
  // Arrow functions, methods and async functions have no prototype.
  (value) => typeof value === 'function' && 'prototype' in value && value.prototype !== undefined,
  {
    error: ({ input }) =>
      `expected a class${typeof input === 'function' ? ', given a function, not a class' : ''}`,
  },
);
const AnyToken = z.custom<Token<unknown>>((value) => typeof value === 'symbol', {
  error: ({ input }) =>
    typeof input === 'function'
      ? `expected a token, given the class ${input.name}: name the token that it is provided under`
      : 'expected a token (undefined often comes of an import cycle)',
});

const AnyPlugin = z.custom<Plugin>(isPlugin, {
  error: ({ input }) =>
    typeof input === 'function'
      ? 'expected a plugin, given a function: definePlugin makes factories of plugins. Call this one.'
      : 'expected a plugin: what a factory made by definePlugin returns',
});

export const NameOfEvent = z
  .string()
  .regex(/^EVT_[A-Z][A-Z0-9]*$/, 'expected the name of an event, EVT_ and one run of capitals');

/** Whether `value` has a manifest, which may be malformed. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'definition' in value;
}

/** For semver an empty range is any version. Here it is a forgotten one. */
function isRange(range: string): boolean {
  return range.trim() !== '' && validRange(range) !== null;
}

const PluginManifest = z.strictObject({
  name: Name,
  version: z.string().refine((version) => valid(version) !== null, 'expected a version such as 1.2.0'),
  rmk: z.string().refine(isRange, 'expected a range of versions such as ^1'),
  requires: z.array(AnyToken).optional(),
  optional: z.array(AnyToken).optional(),
  provides: z.array(z.strictObject({ token: AnyToken, by: AnyClass })).optional(),
  capabilities: z.array(z.string()).optional(),
  before: z.array(z.string()).optional(),
  after: z.array(z.string()).optional(),
  events: z.array(NameOfEvent).optional(),
  onFailure: z.enum(ON_FAILURE).optional(),
  modules: z.array(AnyClass).optional(),
  companions: z.array(AnyPlugin).optional(),
  options: z.custom(isStandardSchema, 'expected a Standard Schema, such as one of zod').optional(),
  detects: z.custom((value) => typeof value === 'function', 'expected a function').optional(),
});

const StatedDetections = z.array(
  z.object({
    kind: z.string().min(1),
    boundNs: z.number().nonnegative().max(Number.MAX_SAFE_INTEGER),
    quantile: z.number().gt(0).lt(1).optional(),
    note: z.string().min(1).optional(),
  }),
);

/** The tokens that `plugin` requires and `provider` provides. */
export function requiredOf(plugin: CheckedPlugin, provider: CheckedPlugin): readonly Token<unknown>[] {
  return providedOf(plugin.definition.requires, provider);
}

/** The tokens that `plugin` optionally uses and `provider` provides. */
export function optionalOf(plugin: CheckedPlugin, provider: CheckedPlugin): readonly Token<unknown>[] {
  return providedOf(plugin.definition.optional, provider);
}

function providedOf(
  tokens: readonly Token<unknown>[] = [],
  { definition }: CheckedPlugin,
): readonly Token<unknown>[] {
  const provided = new Set(definition.provides?.map(({ token }) => token));
  return tokens.filter((token) => provided.has(token));
}

export interface CheckResult {
  /** Undefined if the manifest is malformed. Usable only if there are no errors. */
  readonly plugin?: CheckedPlugin;
  readonly errors: readonly RmkError[];
}

/** Checks everything about one plugin that does not depend on the others. */
export async function checkPlugin(
  plugin: Plugin,
  machine: VirtualMachine,
  limit: Timeout,
): Promise<CheckResult> {
  const malformed = await manifestError(plugin);
  if (malformed !== undefined) return { errors: [malformed] };
  const { definition } = plugin;
  const errors = [
    ...versionErrors(definition),
    ...capabilityErrors(definition, machine),
    ...injectionErrors(definition),
  ];
  const options = await readOptions(plugin, limit, errors);
  const detections = options.valid ? await readDetections(definition, options.value, machine, errors) : [];
  return { plugin: { name: definition.name, definition, options: options.value, detections }, errors };
}

async function manifestError(plugin: unknown): Promise<RmkError | undefined> {
  const code = 'RMK_ERR_MANIFEST';
  if (!isPlugin(plugin)) {
    const fix = typeof plugin === 'function' ? 'Call this one.' : 'Pass what such a factory returns.';
    const given = plugin === null ? 'null' : typeof plugin;
    const message = `expected a plugin, given ${given}: definePlugin makes factories of plugins. ${fix}`;
    return new RmkError(code, message, { plugin: NAMELESS });
  }
  let name = NAMELESS;
  try {
    name = nameOf(plugin.definition);
    const { problems } = await validate(PluginManifest, plugin.definition, 'manifest');
    return problems.length > 0 ? new RmkError(code, name, { plugin: name, problems }) : undefined;
  } catch (cause) {
    const message = `${name}: reading the manifest threw: ${messageOf(cause)}. The plugin's author must fix it.`;
    return new RmkError(code, message, { plugin: name, cause });
  }
}

function nameOf(definition: unknown): string {
  const named = z.object({ name: z.string().min(1) }).safeParse(definition);
  return named.success ? named.data.name : NAMELESS;
}

function versionErrors({ name, version, rmk }: PluginDefinition): readonly RmkError[] {
  if (satisfies(RMK_VERSION, rmk, { includePrerelease: true })) return [];
  const message = `${name} ${version} works with RMK ${rmk}, and this is RMK ${RMK_VERSION}: install a version of the plugin that is made for it`;
  return [new RmkError('RMK_ERR_VERSION', message, { plugin: name })];
}

function capabilityErrors(
  { name, capabilities = [] }: PluginDefinition,
  machine: VirtualMachine,
): readonly RmkError[] {
  const offered = [...machine.capabilities].join(', ') || 'none';
  return capabilities
    .filter((capability) => !machine.capabilities.has(capability))
    .map((capability) => {
      const message = `${name} needs the capability ${capability}, and the hypervisor of ${machine.name} offers ${offered}: use another hypervisor, or leave the plugin out`;
      return new RmkError('RMK_ERR_CAPABILITY', message, { plugin: name });
    });
}

async function readOptions(
  { definition: { name: plugin, options: schema }, options }: Plugin,
  limit: Timeout,
  errors: RmkError[],
): Promise<{ readonly valid: boolean; readonly value?: unknown }> {
  const code = 'RMK_ERR_OPTIONS';
  if (schema === undefined) {
    if (options === undefined) return { valid: true };
    errors.push(new RmkError(code, `${plugin} takes no options: call its factory without any`, { plugin }));
    return { valid: false };
  }
  try {
    const validating = validate(schema, options === undefined ? {} : options, 'options');
    if (!(await limit.completesWithin(validating))) {
      const message = `${plugin}: the schema of its options has not finished within ${limit.limit} of host time. The plugin's author must fix it.`;
      errors.push(new RmkError('RMK_ERR_TIMEOUT', message, { plugin }));
      return { valid: false };
    }
    const { problems, value } = await validating;
    if (problems.length > 0) errors.push(new RmkError(code, plugin, { plugin, problems }));
    return { valid: problems.length === 0, value };
  } catch (cause) {
    const message = `${plugin}: the schema of its options threw: ${messageOf(cause)}. The plugin's author must fix it.`;
    errors.push(new RmkError(code, message, { plugin, cause }));
    return { valid: false };
  }
}

/** A copy, so that a plugin that is only being checked cannot reach the driver. */
function traitsOf({ schedulingIntervalNs, capabilities }: VirtualMachine): MachineTraits {
  return Object.freeze({ schedulingIntervalNs, capabilities: new Set(capabilities) });
}

async function readDetections(
  { name: plugin, detects }: PluginDefinition,
  options: unknown,
  machine: VirtualMachine,
  errors: RmkError[],
): Promise<readonly Detection[]> {
  const code = 'RMK_ERR_MANIFEST';
  try {
    const detections = detects?.(options, traitsOf(machine)) ?? [];
    if (isThenable(detections)) {
      // Nothing awaits the promise: a rejection would end the process.
      detections.then(undefined, () => {});
      errors.push(
        new RmkError(code, `${plugin}: detects() returned a promise: let it return what it computes`, {
          plugin,
        }),
      );
      return [];
    }
    const { problems } = await validate(StatedDetections, detections, 'detects');
    if (problems.length > 0) errors.push(new RmkError(code, plugin, { plugin, problems }));
    // A copy, so that what was checked cannot change.
    return problems.length > 0
      ? []
      : detections.map(({ kind, boundNs, quantile, note }) => ({
          kind,
          boundNs,
          ...(quantile === undefined ? {} : { quantile }),
          ...(note === undefined ? {} : { note }),
        }));
  } catch (cause) {
    const message = `${plugin}: detects() threw: ${messageOf(cause)}. The plugin's author must fix it.`;
    errors.push(new RmkError(code, message, { plugin, cause }));
    return [];
  }
}
