import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Kind } from './kinds.js';
import { pluginNames } from './pluginNames.js';
import { filledTemplate } from './template.js';
import { UsageError } from './usageError.js';

export interface PluginOrder {
  /** With or without `rmk-plugin-`, and with a scope or none. */
  readonly name: string;
  readonly kind: Kind;
  /** Where to write it. Default: a folder of the package's name. Relative to the working directory. */
  readonly directory?: string;
}

export interface WrittenPlugin {
  readonly packageName: string;
  /** Absolute. */
  readonly directory: string;
  /** Paths within the directory, with `/`. */
  readonly files: readonly string[];
}

/**
 * Writes a plugin. Throws a {@link UsageError} where the name will not do or the directory has anything in it: then
 * nothing was written.
 */
export function createPlugin({ name, kind, directory }: PluginOrder): WrittenPlugin {
  const names = pluginNames(name);
  const target = resolve(directory ?? names.folder);
  const files = filledTemplate(kind, names, version());
  refuseOccupied(target);
  for (const [path, text] of files) {
    const file = join(target, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
  }
  return { packageName: names.packageName, directory: target, files: [...files.keys()].toSorted() };
}

/** That of all packages of RMK. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function refuseOccupied(directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) {
    throw new UsageError(`${directory} is a file: choose another name, or another --directory`);
  }
  if (readdirSync(directory).length > 0) {
    throw new UsageError(`${directory} is not empty: choose another name, or another --directory`);
  }
}
