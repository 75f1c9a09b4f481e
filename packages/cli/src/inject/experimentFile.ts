import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import {
  EXPERIMENT_DEFAULTS,
  experimentsFor,
  FAULT_KINDS,
  TRIGGER_KINDS,
  type ChosenFault,
  type ChosenTrigger,
  type Experiment,
  type TriggerKind,
} from '@rmk/campaign';
import { nanoseconds } from '@rmk/core';
import { EmbeddedHypervisor, type MachineOptions } from '@rmk/hypervisor-embedded';
import { suggestion } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { readConfigFile, type ExpectedExport } from '../config/configFile.js';
import { ConfigScripts } from '../config/configScript.js';
import { loadGuest } from '../config/guestMachine.js';
import { Problems } from '../config/problems.js';
import { validate } from '../config/schemaProblems.js';
import { embeddedGuest, type EmbeddedGuestUnderTest } from './embeddedGuest.js';
import { experimentGuestSchema, experimentSchema, type ExperimentEntries } from './experimentSchema.js';

/** An experiment file, checked. */
export interface PlannedCampaign {
  readonly experiment: Experiment;
  readonly guest: EmbeddedGuestUnderTest;
  /** Half width of the 95 % interval at which the campaign may end. */
  readonly margin?: number;
  /** The count of the file, if it has one. */
  readonly givenCount?: number;
  /** SHA-256 of everything that the records depend on; the number of experiments is left out. */
  readonly digest: string;
}

const EXPECTED: ExpectedExport = {
  keys: Object.keys(experimentSchema.shape),
  what: 'an experiment',
  fixJson: 'Write an object with the keys guest and faults.',
  fixScript: 'End it with `export default defineExperiment({ guest: { … }, faults: [ … ] })`.',
};

const COUNT = 1000;

/** `protect`: on top of what the file has. Throws RMK_ERR_INPUT with every problem of the file and its path. */
export async function planCampaign(
  file: string,
  protect: MicrocheckpointOptions = {},
): Promise<PlannedCampaign> {
  const path = resolve(file);
  const scripts = new ConfigScripts(path);
  return scripts.reading(() => checkedCampaign(path, scripts, protect));
}

async function checkedCampaign(
  path: string,
  scripts: ConfigScripts,
  protect: MicrocheckpointOptions,
): Promise<PlannedCampaign> {
  const exported = await readConfigFile(path, scripts, EXPECTED);
  const problems = new Problems();
  const entries = validate(experimentSchema, exported, [], problems);
  const entry = validate(experimentGuestSchema, exported['guest'], ['guest'], problems);
  const hypervisor = new EmbeddedHypervisor();
  const loaded =
    entry === undefined ? undefined : loadGuest(entry, hypervisor, dirname(path), ['guest'], problems);
  await hypervisor.close();
  const faults = entries === undefined ? [] : chosenFaults(entries, problems);
  const protection = { ...entries?.protect, ...protect };
  if (entries !== undefined) problems.attempt(['protect'], () => microcheckpoint(protection));
  if (entries === undefined || loaded === undefined || problems.count > 0) throw problems.error(path);
  return plannedCampaign(loaded.options, { ...entries, protect: protection }, faults);
}

function plannedCampaign(
  options: MachineOptions,
  entries: Omit<ExperimentEntries, 'protect'> & { readonly protect: MicrocheckpointOptions },
  faults: readonly ChosenFault[],
): PlannedCampaign {
  const { protect, steadyState, window = {}, count, margin } = entries;
  const { exitCode, output, within } = steadyState;
  const experiment: Experiment = {
    seed: entries.seed,
    count: count ?? (margin === undefined ? COUNT : mostFor(margin)),
    faults,
    steadyState: { exitCode, ...(output === undefined ? {} : { output }), withinNs: nanoseconds(within) },
    window: {
      ...(window.from === undefined ? {} : { fromNs: nanoseconds(window.from) }),
      ...(window.to === undefined ? {} : { toNs: nanoseconds(window.to) }),
    },
    gridNs: entries.grid === undefined ? EXPERIMENT_DEFAULTS.gridNs : nanoseconds(entries.grid),
    watchNs: entries.watch === undefined ? EXPERIMENT_DEFAULTS.watchNs : nanoseconds(entries.watch),
    timeoutNs: entries.timeout === undefined ? EXPERIMENT_DEFAULTS.timeoutNs : nanoseconds(entries.timeout),
    control: entries.control ?? EXPERIMENT_DEFAULTS.control,
    traceInstructions: EXPERIMENT_DEFAULTS.traceInstructions,
  };
  const guest = embeddedGuest(options, () => microcheckpoint(protect));
  const { count: _, ...decisive } = experiment;
  return {
    experiment,
    guest,
    ...(margin === undefined ? {} : { margin }),
    ...(count === undefined ? {} : { givenCount: count }),
    digest: digestOf({ options, protect, decisive }),
  };
}

/** The most experiments for a margin: enough where one of ten faults is detected. */
export function mostFor(margin: number): number {
  return 10 * experimentsFor(margin);
}

function chosenFaults({ faults }: ExperimentEntries, problems: Problems): readonly ChosenFault[] {
  return faults.flatMap((given, index) => {
    const isPlain = typeof given === 'string' || 'choose' in given;
    const entry = isPlain ? { fault: given, options: {}, weight: 1 } : given;
    const { options, weight } = entry;
    const path = ['faults', index];
    const kind = kindOf(entry.fault, FAULT_KINDS, 'fault', isPlain ? path : [...path, 'fault'], problems);
    const before = problems.count;
    const trigger = chosenTrigger(entry.trigger, [...path, 'trigger'], problems);
    if (kind === undefined || problems.count > before) return [];
    const valid = validate(kind.options, options, [...path, 'options'], problems);
    return valid === undefined ? [] : [kind.choose(options, weight, trigger)];
  });
}

type TriggerEntry = Extract<ExperimentEntries['faults'][number], { readonly weight: number }>['trigger'];

function chosenTrigger(
  given: TriggerEntry,
  path: readonly (string | number)[],
  problems: Problems,
): ChosenTrigger | undefined {
  if (given === undefined) return undefined;
  const isPlain = typeof given === 'string' || 'choose' in given;
  const { trigger, options } = isPlain ? { trigger: given, options: {} } : given;
  const at = isPlain ? path : [...path, 'trigger'];
  const kind = kindOf<TriggerKind>(trigger, TRIGGER_KINDS, 'trigger', at, problems);
  if (kind === undefined) return undefined;
  const valid = validate(kind.options, options, [...path, 'options'], problems);
  return valid === undefined ? undefined : kind.choose(options);
}

/** One of the author's own, or the one of RMK with this name. */
function kindOf<K extends { readonly name: string }>(
  given: string | K,
  kinds: readonly K[],
  what: string,
  path: readonly (string | number)[],
  problems: Problems,
): K | undefined {
  if (typeof given !== 'string') return given;
  const kind = kinds.find(({ name }) => name === given);
  if (kind !== undefined) return kind;
  const names = kinds.map(({ name }) => name);
  problems.add(path, `unknown ${what} ${JSON.stringify(given)}, ${suggestion(given, names)}`);
  return undefined;
}

/** Bytes count by their digest, and plugins and functions by their name. */
function digestOf(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Uint8Array) return createHash('sha256').update(part).digest('hex');
    if (typeof part === 'function') return part.name;
    return part;
  });
  return createHash('sha256').update(text).digest('hex');
}
