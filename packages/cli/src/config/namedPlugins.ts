import { basename, extname, resolve } from 'node:path';
import { hasCode, type Plugin } from '@rmk/core';
import { suggestion } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { isPlugin, pluginHint } from './configSchema.js';
import { isPath, missingModule, type ConfigScripts } from './configScript.js';
import { notFound } from './inputFile.js';
import type { ConfigPath, Problems } from './problems.js';

/** A plugin named by its package, as a config in JSON does. */
interface NamedPlugin {
  readonly plugin: string;
  readonly options?: unknown;
  /** Name of the export that is the plugin, where the package has several. Not checked yet. */
  readonly export?: unknown;
}

/** Makes the plugins of the preset for the guests of a list. Their kind decides on defaults. */
export type PresetFactory = (options: MicrocheckpointOptions | undefined) => readonly Plugin[];

const PRESET = '@rmk/preset-microcheckpoint';
const KEYS: readonly string[] = ['plugin', 'options', 'export'];

/**
 * Replaces each `{ plugin, options }` in a list of plugins by the plugin itself, or by the plugins of a preset,
 * imported from its package or, for a path that begins with a dot, from a file beside the config. Reports entries that
 * are no plugins, here, where their index is still that of the config. `preset` makes the plugins of the preset of RMK.
 */
export async function importNamedPlugins(
  entries: unknown,
  at: ConfigPath,
  scripts: ConfigScripts,
  problems: Problems,
  preset: PresetFactory = microcheckpoint,
): Promise<unknown> {
  if (!Array.isArray(entries)) return entries;
  const plugins: unknown[] = [];
  for (const [index, entry] of (entries as readonly unknown[]).entries()) {
    if (isNamed(entry))
      plugins.push(...(await imported(entry, [...at, index], { scripts, problems, preset })));
    else if (isPlugin(entry)) plugins.push(entry);
    else problems.add([...at, index], pluginHint(entry));
  }
  return plugins;
}

function isNamed(entry: unknown): entry is NamedPlugin {
  return typeof entry === 'object' && entry !== null && 'plugin' in entry && typeof entry.plugin === 'string';
}

interface Importing {
  readonly scripts: ConfigScripts;
  readonly problems: Problems;
  readonly preset: PresetFactory;
}

async function imported(
  named: NamedPlugin,
  at: ConfigPath,
  { scripts, problems, preset }: Importing,
): Promise<readonly Plugin[]> {
  for (const key of Object.keys(named).filter((each) => !KEYS.includes(each))) {
    problems.add([...at, key], `unknown key, ${suggestion(key, KEYS)}`);
  }
  const factories = await factoriesOf(named.plugin, at, scripts, problems);
  if (factories === undefined) return [];
  const factory = chosen(named, factories, at, problems);
  if (factory === undefined) return [];
  try {
    const made =
      named.plugin === PRESET ? preset(named.options as MicrocheckpointOptions) : factory(named.options);
    if (isPlugin(made)) return [made];
    if (Array.isArray(made) && made.every(isPlugin)) return made;
    problems.add(
      [...at, 'plugin'],
      `the export of ${named.plugin} does not make a plugin. Make it with definePlugin.`,
    );
  } catch (error) {
    problems.add([...at, 'plugin'], `${named.plugin} failed: ${explained(error, scripts)}`);
  }
  return [];
}

/** A preset reports all problems of its options. */
function explained(error: unknown, scripts: ConfigScripts): string {
  if (!hasCode(error) || error.problems.length === 0) return scripts.explain(error);
  return error.problems
    .map(({ path, message }) => `${path === '' ? 'options' : `options.${path}`}: ${message}`)
    .join('; ');
}

type Factory = (options: unknown) => unknown;

async function factoriesOf(
  name: string,
  at: ConfigPath,
  scripts: ConfigScripts,
  problems: Problems,
): Promise<ReadonlyMap<string, Factory> | undefined> {
  try {
    const module = await load(name, scripts);
    const factories = Object.entries(module).filter(
      (entry): entry is [string, Factory] => typeof entry[1] === 'function' && !isClass(entry[1]),
    );
    return new Map(factories);
  } catch (error) {
    const isMissing = missingModule(error) === name;
    problems.add(
      [...at, 'plugin'],
      isMissing ? missingText(name, scripts) : `${name} cannot be imported: ${scripts.explain(error)}`,
    );
    return undefined;
  }
}

function missingText(name: string, scripts: ConfigScripts): string {
  return isPath(name)
    ? notFound(resolve(scripts.folder, name))
    : `${name} is not installed. Install it beside the config, or fix its name.`;
}

/** The prototype of a class is not writable, that of a function is. */
function isClass(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

/** Packages of RMK itself come with the command line, wherever the config lies. */
async function load(name: string, scripts: ConfigScripts): Promise<object> {
  try {
    return (await scripts.import(name)) as object;
  } catch (error) {
    if (!name.startsWith('@rmk/')) throw error;
    return (await import(name)) as object;
  }
}

/** The export that is named; else the default one, the one called as the package, or the only one. */
function chosen(
  { plugin, export: wanted }: NamedPlugin,
  factories: ReadonlyMap<string, Factory>,
  at: ConfigPath,
  problems: Problems,
): Factory | undefined {
  const names = [...factories.keys()];
  if (wanted !== undefined && typeof wanted !== 'string') {
    problems.add([...at, 'export'], `expected the name of an export, one of ${names.join(', ')}`);
    return undefined;
  }
  if (wanted !== undefined) {
    const found = factories.get(wanted);
    if (found === undefined) {
      problems.add([...at, 'export'], `${plugin} has no plugin ${wanted}, ${suggestion(wanted, names)}`);
    }
    return found;
  }
  const own = basename(plugin, extname(plugin)).replace(/^rmk-plugin-/, '');
  const camelCase = own.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  // The factories that definePlugin makes are arrow functions, and a function beside the only one helps it.
  const arrows = names.filter((each) => !Object.hasOwn(factories.get(each) ?? {}, 'prototype'));
  const [only] = [arrows, names].find(({ length }) => length === 1) ?? [];
  const name = ['default', camelCase, only].find((each) => each !== undefined && factories.has(each));
  if (name !== undefined) return factories.get(name);
  problems.add(
    [...at, 'plugin'],
    names.length === 0
      ? `${plugin} exports no plugin`
      : `${plugin} exports several functions: choose one with the key export (${names.join(', ')})`,
  );
  return undefined;
}
