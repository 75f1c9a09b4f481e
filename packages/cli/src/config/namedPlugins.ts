import { basename, extname } from 'node:path';
import { messageOf, type Plugin } from '@rmk/core';
import { suggestion } from '@rmk/kernel';
import type { ConfigScripts } from './configScript.js';
import type { ConfigPath, Problems } from './problems.js';

/** A plugin named by its package, as a config in JSON does. */
interface NamedPlugin {
  readonly plugin: string;
  readonly options?: unknown;
  /** Which export of the package is the plugin, where it has several. */
  readonly export?: string;
}

const KEYS: readonly string[] = ['plugin', 'options', 'export'];

/**
 * Replaces each `{ plugin, options }` in a list of plugins by the plugin itself, imported from its package or, for a
 * path that begins with a dot, from a file beside the config. Everything else is left as it is.
 */
export async function importNamedPlugins(
  entries: unknown,
  at: ConfigPath,
  scripts: ConfigScripts,
  problems: Problems,
): Promise<unknown> {
  if (!Array.isArray(entries)) return entries;
  const plugins: unknown[] = [];
  for (const [index, entry] of (entries as readonly unknown[]).entries()) {
    const plugin = isNamed(entry) ? await imported(entry, [...at, index], scripts, problems) : entry;
    if (plugin !== undefined) plugins.push(plugin);
  }
  return plugins;
}

function isNamed(entry: unknown): entry is NamedPlugin {
  return typeof entry === 'object' && entry !== null && 'plugin' in entry && typeof entry.plugin === 'string';
}

async function imported(
  named: NamedPlugin,
  at: ConfigPath,
  scripts: ConfigScripts,
  problems: Problems,
): Promise<Plugin | undefined> {
  for (const key of Object.keys(named).filter((each) => !KEYS.includes(each))) {
    problems.add([...at, key], `unknown key, ${suggestion(key, KEYS)}`);
  }
  const factories = await factoriesOf(named.plugin, at, scripts, problems);
  if (factories === undefined) return undefined;
  const factory = chosen(named, factories, at, problems);
  if (factory === undefined) return undefined;
  try {
    const plugin = factory(named.options);
    if (isPlugin(plugin)) return plugin;
    problems.add(
      [...at, 'plugin'],
      `the export of ${named.plugin} does not make a plugin. Make it with definePlugin.`,
    );
  } catch (error) {
    problems.add([...at, 'plugin'], `${named.plugin} failed: ${scripts.explain(error)}`);
  }
  return undefined;
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
    // A class is no factory, and the factories that definePlugin makes are arrow functions.
    const factories = Object.entries(module).filter(
      (entry): entry is [string, Factory] => typeof entry[1] === 'function' && !('prototype' in entry[1]),
    );
    return new Map(factories);
  } catch (error) {
    const isMissing = /Cannot find (?:module|package) '([^']+)'/.exec(messageOf(error))?.[1] === name;
    problems.add(
      [...at, 'plugin'],
      isMissing
        ? `${name} is not installed. Install it beside the config, or fix its name.`
        : `${name} cannot be imported: ${scripts.explain(error)}`,
    );
    return undefined;
  }
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
  if (wanted !== undefined) {
    const found = factories.get(wanted);
    if (found === undefined) {
      problems.add([...at, 'export'], `${plugin} has no plugin ${wanted}, ${suggestion(wanted, names)}`);
    }
    return found;
  }
  const own = basename(plugin, extname(plugin)).replace(/^rmk-plugin-/, '');
  const camelCase = own.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const only = names.length === 1 ? names[0] : undefined;
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

function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'definition' in value;
}
