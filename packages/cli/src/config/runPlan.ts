import { dirname, resolve } from 'node:path';
import { messageOf, nanoseconds, PAGE_BYTES, RmkError, type Nanoseconds, type Plugin } from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { readConfigFile } from './configFile.js';
import {
  configSchema,
  GUEST_NAMES,
  guestSchema,
  pluginsSchema,
  type ConfigEntries,
  type GuestEntry,
} from './configSchema.js';
import { guestMachine } from './guestMachine.js';
import { Problems, type ConfigPath } from './problems.js';
import { salvage, validate } from './schemaProblems.js';

/** A guest that is ready to be protected. */
export interface PlannedGuest {
  readonly machine: EmbeddedMachine;
  readonly plugins: readonly Plugin[];
}

export type OutputPlan = 'show' | 'none' | { readonly directory: string };

/** What a config asks for: its guests in their machines, and nothing started yet. The hypervisor is to be closed. */
export interface RunPlan {
  readonly hypervisor: EmbeddedHypervisor;
  readonly guests: readonly PlannedGuest[];
  /** Absent: until the last guest has ended. */
  readonly untilNs?: Nanoseconds;
  readonly output: OutputPlan;
}

/** `RMK_ERR_INPUT` with every problem of the config, each with its path in it. */
export async function planRun(configFile: string): Promise<RunPlan> {
  const path = resolve(configFile);
  const folder = dirname(path);
  const exported = withoutUndefined(await readConfigFile(path));
  const problems = new Problems();
  const config = validate(configSchema, exported, [], problems);
  checkProtection(exported, [], problems);
  const hypervisor = hypervisorOf(config ?? salvage(configSchema, exported), problems);
  const names = new Set<unknown>();
  const guests = entriesOf(exported).flatMap((entry, index) => {
    const at = ['guests', index];
    if (!isObject(entry)) {
      validate(guestSchema, entry, at, problems);
      return [];
    }
    const isNew = checkName(entry, at, names, problems);
    // A second guest of one name is checked on a hypervisor where it is the first.
    const on = isNew ? hypervisor : new EmbeddedHypervisor();
    return planGuest(withoutUndefined(entry), { at, folder, config, hypervisor: on, problems }) ?? [];
  });
  if (config === undefined || problems.count > 0) {
    await hypervisor.close();
    throw problems.error(path);
  }
  const { until, output } = config;
  return {
    hypervisor,
    guests,
    output: typeof output === 'string' ? output : { directory: resolve(folder, output.directory) },
    ...(until === undefined ? {} : { untilNs: nanoseconds(until) }),
  };
}

function entriesOf({ guests }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Array.isArray(guests) ? guests : [];
}

/** The one that is asked for; where that is wrong any, to check the guests on. */
function hypervisorOf(config: ConfigEntries | undefined, problems: Problems): EmbeddedHypervisor {
  try {
    return new EmbeddedHypervisor(config?.hypervisor);
  } catch (error) {
    if (!(error instanceof RmkError)) throw error;
    for (const problem of error.problems) problems.addText(`hypervisor.${problem}`);
    return new EmbeddedHypervisor();
  }
}

interface Planning {
  readonly at: ConfigPath;
  readonly folder: string;
  readonly config: ConfigEntries | undefined;
  readonly hypervisor: EmbeddedHypervisor;
  readonly problems: Problems;
}

function planGuest(entry: object, planning: Planning): PlannedGuest | undefined {
  const { at, folder, config, hypervisor, problems } = planning;
  checkProgram(entry, at, problems);
  checkProtection(entry, at, problems);
  const valid = validate(guestSchema, entry, at, problems);
  if (valid === undefined) {
    // A guest with a problem in its entry may have others in its files.
    const rest = salvage(guestSchema, { ...entry, name: 'salvaged' });
    if (rest !== undefined) guestMachine(rest, new EmbeddedHypervisor(), folder, at, problems);
    return undefined;
  }
  const machine = guestMachine(valid, hypervisor, folder, at, problems);
  if (machine === undefined || config === undefined) return undefined;
  return { machine, plugins: pluginsOf(valid, config, machine, problems) };
}

/** What the guest says of its own, else what the config says for all, else the preset. */
function pluginsOf(
  guest: GuestEntry,
  config: ConfigEntries,
  { name, memoryPages }: EmbeddedMachine,
  problems: Problems,
): readonly Plugin[] {
  const own = guest.plugins ?? presetOf(guest.protect);
  if (own !== undefined) return own;
  const { plugins } = config;
  if (typeof plugins !== 'function') return plugins ?? presetOf(config.protect ?? {}) ?? [];
  try {
    const chosen: unknown = plugins({ name, memoryBytes: memoryPages * PAGE_BYTES });
    return validate(pluginsSchema, chosen, ['plugins'], problems) ?? [];
  } catch (error) {
    problems.add(['plugins'], `the function threw for the guest ${name}: ${messageOf(error)}`);
    return [];
  }
}

function presetOf(protect: GuestEntry['protect']): readonly Plugin[] | undefined {
  if (protect === undefined) return undefined;
  return protect === false ? [] : microcheckpoint(protect);
}

/** Whether no guest before this one has its name. */
function checkName(entry: object, at: ConfigPath, names: Set<unknown>, problems: Problems): boolean {
  const name: unknown = 'name' in entry ? entry.name : undefined;
  if (typeof name !== 'string' || !names.has(name)) {
    names.add(name);
    return true;
  }
  problems.add(
    [...at, 'name'],
    `another guest is named ${JSON.stringify(name)} already: choose another name`,
  );
  return false;
}

function checkProgram(entry: object, at: ConfigPath, problems: Problems): void {
  if ('elf' in entry !== 'guest' in entry) return;
  const own = GUEST_NAMES.join(', ');
  problems.add(at, `give either \`elf\`, an executable of your own, or \`guest\`, one of RMK's (${own})`);
}

function checkProtection(entry: object, at: ConfigPath, problems: Problems): void {
  if (!('plugins' in entry && 'protect' in entry)) return;
  problems.add(at, 'give either `plugins` or `protect`, the options of the preset');
}

/** A key that is undefined is as good as absent, as `memory: enough ? undefined : '64MiB'` wants it. */
function withoutUndefined(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
