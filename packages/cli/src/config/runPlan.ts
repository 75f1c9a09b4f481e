import { dirname, resolve } from 'node:path';
import { hasCode, messageOf, nanoseconds, PAGE_BYTES, type Nanoseconds, type Plugin } from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import type { DomainOptions } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import type { ConfiguredGuest } from '../defineConfig.js';
import { readConfigFile } from './configFile.js';
import { ConfigScripts } from './configScript.js';
import {
  configSchema,
  GUEST_NAMES,
  guestSchema,
  pluginsSchema,
  type ConfigEntries,
  type GuestEntry,
} from './configSchema.js';
import { guestMachine, loadGuest } from './guestMachine.js';
import { importNamedPlugins, type PresetFactory } from './namedPlugins.js';
import { Problems, type ConfigPath } from './problems.js';
import { qemuGuestSchema, qemuMachineOptions, qemuProtection, qemuWarnings } from './qemuGuest.js';
import { QemuRun } from '../run/qemuRun.js';
import {
  EmbeddedRun,
  EmbeddedRunMachine,
  type MachineStart,
  type RunHypervisor,
  type RunMachine,
} from '../run/runMachine.js';
import { parseValidKeys, validate } from './schemaProblems.js';

/** A guest, ready to be protected. */
export interface PlannedGuest {
  readonly name: string;
  readonly plugins: readonly Plugin[];
  /** Makes its machine. An embedded one is paused until the hypervisor runs, one in QEMU boots. */
  readonly start: (how: MachineStart) => Promise<RunMachine>;
  /** A machine of the same kind on which the plugins can be started without the guest doing anything. */
  readonly standIn: () => Promise<RunMachine>;
  /** Makes the guest once more, alone on a hypervisor. Undefined for one in QEMU. */
  readonly embedded?: () => EmbeddedGuestAlone;
  /** For the user, before the guest runs. */
  readonly warnings: readonly string[];
}

/** An embedded guest at its boot, and the hypervisor that runs it alone. */
export interface EmbeddedGuestAlone {
  readonly hypervisor: EmbeddedHypervisor;
  readonly machine: EmbeddedMachine;
}

export type OutputPlan = 'show' | 'none' | { readonly directory: string };

/** What a config asks for: its guests in their machines, nothing started yet. The caller closes the hypervisor. */
export interface RunPlan {
  readonly hypervisor: RunHypervisor;
  readonly guests: readonly PlannedGuest[];
  /** Default: until the last guest has ended. */
  readonly untilNs?: Nanoseconds;
  /** Settings of every domain. */
  readonly domains: DomainSettings;
  readonly output: OutputPlan;
}

export type DomainSettings = Pick<DomainOptions, 'onFailure' | 'supervision' | 'timeouts' | 'events'>;

/** Throws RMK_ERR_INPUT with every problem of the config and its path. */
export async function planRun(configFile: string): Promise<RunPlan> {
  const path = resolve(configFile);
  const scripts = new ConfigScripts(path);
  return scripts.reading(() => plannedRun(path, scripts));
}

async function plannedRun(path: string, scripts: ConfigScripts): Promise<RunPlan> {
  const folder = dirname(path);
  const problems = new Problems();
  const exported = await withPlugins(await readConfigFile(path, scripts), scripts, problems);
  const config = validate(configSchema, exported, [], problems);
  checkProtection(exported, [], problems);
  const inQemu = entriesOf(exported).some(isInQemu);
  const known = config ?? parseValidKeys(configSchema, exported);
  const embedded = hypervisorOf(known, problems);
  const qemu = qemuOf(known, problems);
  const names = new Set<unknown>();
  const guests = entriesOf(exported).flatMap((entry, index) => {
    const at = ['guests', index];
    if (!isObject(entry)) {
      validate(guestSchema, entry, at, problems);
      return [];
    }
    const isNew = checkName(entry, at, names, problems);
    // A second guest of one name is checked on a hypervisor where it is the first.
    const on = isNew ? embedded : new EmbeddedHypervisor();
    const planning = { at, folder, config, hypervisor: on, qemu, problems };
    if (isInQemu(entry)) return planQemuGuest(withoutUndefined(entry), planning) ?? [];
    if (inQemu) problems.add(at, MIXED);
    return planGuest(withoutUndefined(entry), planning) ?? [];
  });
  const hypervisor: RunHypervisor = inQemu ? qemu : new EmbeddedRun(embedded);
  if (config === undefined || problems.count > 0) {
    await hypervisor.close();
    throw problems.error(path);
  }
  const { until, output, onFailure, supervision, timeouts, events } = config;
  const domains = withoutUndefined({ onFailure, supervision, timeouts, events }) as DomainSettings;
  return {
    hypervisor,
    guests,
    domains,
    output: typeof output === 'string' ? output : { directory: resolve(folder, output.directory) },
    ...(until === undefined ? {} : { untilNs: nanoseconds(until) }),
  };
}

/** The config with its named plugins imported, those of each guest too. */
async function withPlugins(
  exported: Readonly<Record<string, unknown>>,
  scripts: ConfigScripts,
  problems: Problems,
): Promise<Readonly<Record<string, unknown>>> {
  const config = withoutUndefined(exported);
  const { plugins, guests } = config;
  const preset = presetFor(entriesOf(config), ['plugins'], problems);
  const imported = await importNamedPlugins(plugins, ['plugins'], scripts, problems, preset);
  if (!Array.isArray(guests)) return { ...config, ...(plugins === undefined ? {} : { plugins: imported }) };
  const entries: unknown[] = [];
  for (const [index, entry] of (guests as readonly unknown[]).entries()) {
    if (!isObject(entry) || !('plugins' in entry)) entries.push(entry);
    else {
      const at = ['guests', index, 'plugins'];
      const own = presetFor([entry], at, problems);
      entries.push({
        ...entry,
        plugins: await importNamedPlugins(entry.plugins, at, scripts, problems, own),
      });
    }
  }
  return { ...config, guests: entries, ...(plugins === undefined ? {} : { plugins: imported }) };
}

/** The preset with the defaults of the guests that it protects. */
function presetFor(guests: readonly unknown[], at: ConfigPath, problems: Problems): PresetFactory {
  if (!guests.some(isInQemu)) return microcheckpoint;
  return (options) => {
    const [heartbeat, ...others] = new Set(guests.map(heartbeatOf));
    if (others.length > 0) {
      problems.add(at, 'the guests differ in their heartbeat. Give each guest a list of plugins of its own.');
    }
    return qemuProtection(options, heartbeat);
  };
}

function heartbeatOf(entry: unknown): string | undefined {
  const qemu: unknown = isObject(entry) && 'qemu' in entry ? entry.qemu : undefined;
  const heartbeat: unknown = isObject(qemu) && 'heartbeat' in qemu ? qemu.heartbeat : undefined;
  return typeof heartbeat === 'string' ? heartbeat : undefined;
}

const MIXED =
  'is embedded, while other guests are in QEMU: give each kind a config of its own, since one has virtual time and the other real time';

function isInQemu(entry: unknown): boolean {
  return isObject(entry) && 'qemu' in entry;
}

function entriesOf({ guests }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Array.isArray(guests) ? guests : [];
}

/** The hypervisor of the config. If its options are wrong, one with defaults to check the guests on. */
function hypervisorOf(config: ConfigEntries | undefined, problems: Problems): EmbeddedHypervisor {
  try {
    return new EmbeddedHypervisor(config?.hypervisor);
  } catch (error) {
    if (!hasCode(error)) throw error;
    problems.addWithin(['hypervisor'], error.problems);
    return new EmbeddedHypervisor();
  }
}

function qemuOf(config: ConfigEntries | undefined, problems: Problems): QemuRun {
  try {
    return new QemuRun(config?.qemu);
  } catch (error) {
    if (!hasCode(error)) throw error;
    problems.addWithin(['qemu'], error.problems);
    return new QemuRun();
  }
}

interface Planning {
  readonly at: ConfigPath;
  readonly folder: string;
  readonly config: ConfigEntries | undefined;
  readonly hypervisor: EmbeddedHypervisor;
  readonly qemu: QemuRun;
  readonly problems: Problems;
}

function planGuest(entry: object, planning: Planning): PlannedGuest | undefined {
  const { at, folder, config, hypervisor, problems } = planning;
  checkProgram(entry, at, problems);
  checkProtection(entry, at, problems);
  const valid = validate(guestSchema, entry, at, problems);
  if (valid === undefined) {
    // A guest whose entry is wrong may have more problems in its files.
    const rest = parseValidKeys(guestSchema, { ...entry, name: 'checked' });
    if (rest !== undefined) guestMachine(rest, new EmbeddedHypervisor(), folder, at, problems);
    return undefined;
  }
  const loaded = loadGuest(valid, hypervisor, folder, at, problems);
  if (loaded === undefined || config === undefined) return undefined;
  const { machine, options } = loaded;
  const about = { name: machine.name, memoryBytes: machine.memoryPages * PAGE_BYTES };
  const start = ({ observe, files }: MachineStart): Promise<RunMachine> => {
    const made = new EmbeddedRunMachine(machine, files);
    observe?.(made);
    return Promise.resolve(made);
  };
  const standIn = (): Promise<RunMachine> => Promise.resolve(new EmbeddedRunMachine(machine));
  const plugins = pluginsOf(valid, config, { about, presetOf: microcheckpoint }, problems);
  const embedded = (): EmbeddedGuestAlone => {
    const alone = new EmbeddedHypervisor(config.hypervisor);
    return { hypervisor: alone, machine: alone.createMachine(options) };
  };
  return { name: machine.name, plugins, start, standIn, embedded, warnings: [] };
}

function planQemuGuest(entry: object, planning: Planning): PlannedGuest | undefined {
  const { at, folder, config, qemu, problems } = planning;
  checkProtection(entry, at, problems);
  const valid = validate(qemuGuestSchema, entry, at, problems);
  if (valid === undefined) return undefined;
  const options = qemuMachineOptions(valid, folder, at, problems);
  if (options === undefined || config === undefined) return undefined;
  const { name, heartbeat, memoryBytes = 0 } = options;
  const presetOf = (preset: MicrocheckpointOptions) => qemuProtection(preset, heartbeat);
  return {
    name,
    plugins: pluginsOf(valid, config, { about: { name, memoryBytes }, presetOf }, problems),
    start: (how) => qemu.start(options, how),
    standIn: () => qemu.standIn(options),
    warnings: qemuWarnings(options),
  };
}

interface Choice {
  readonly about: ConfiguredGuest;
  readonly presetOf: (options: MicrocheckpointOptions) => readonly Plugin[];
}

/** The guest's own plugins, else those of the config, else the preset. */
function pluginsOf(
  guest: Pick<GuestEntry, 'plugins' | 'protect'>,
  config: ConfigEntries,
  { about, presetOf }: Choice,
  problems: Problems,
): readonly Plugin[] {
  const preset = (protect: MicrocheckpointOptions | false): readonly Plugin[] =>
    protect === false ? [] : presetOf(protect);
  const own = guest.plugins ?? (guest.protect === undefined ? undefined : preset(guest.protect));
  if (own !== undefined) return own;
  const { plugins } = config;
  if (typeof plugins !== 'function') return plugins ?? preset(config.protect ?? {});
  try {
    const chosen: unknown = plugins(about);
    if (chosen instanceof Promise) {
      chosen.catch(() => {});
      problems.add(
        ['plugins'],
        'the function is async. Await what it needs at the top of the config instead.',
      );
      return [];
    }
    return validate(pluginsSchema, chosen, ['plugins'], problems) ?? [];
  } catch (error) {
    problems.add(['plugins'], `the function threw for the guest ${about.name}: ${messageOf(error)}`);
    return [];
  }
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
    `another guest is already named ${JSON.stringify(name)}. Choose another name.`,
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
  problems.add(
    at,
    'give either `plugins` or `protect`, the options of the preset. To add plugins to the preset, list it among `plugins`: `...microcheckpoint(options)`, or in JSON { "plugin": "@rmk/preset-microcheckpoint", "options": {} }',
  );
}

/** Drops keys that are undefined: `memory: enough ? undefined : '64MiB'` is allowed. */
function withoutUndefined(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
