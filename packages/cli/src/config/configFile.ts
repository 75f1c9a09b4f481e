import { readFileSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as checkpoint from '@rmk/checkpoint';
import * as core from '@rmk/core';
import { messageOf, RmkError } from '@rmk/core';
import * as guests from '@rmk/guests';
import * as preset from '@rmk/preset-microcheckpoint';
import { loadConfig } from 'c12';
import * as tsyringe from 'tsyringe';
import { defineConfig } from '../defineConfig.js';
import { configSchema } from './configSchema.js';
import { checkIsFile } from './inputFile.js';
import { nearest } from '@rmk/kernel';

const SCRIPTS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
const KEYS = Object.keys(configSchema.shape);

/**
 * What a config can import wherever it lies, also where nothing is installed: this very copy. Two copies of tsyringe
 * could not inject into each other's classes.
 */
const OURS: Readonly<Record<string, unknown>> = {
  '@rmk/cli': { defineConfig },
  '@rmk/core': core,
  '@rmk/checkpoint': checkpoint,
  '@rmk/guests': guests,
  '@rmk/preset-microcheckpoint': preset,
  tsyringe,
  'reflect-metadata': {},
};

/**
 * What a config file exports, not looked at any further. `RMK_ERR_INPUT` where there is none, where it is no config,
 * and where it fails: then with the place in it.
 */
export async function readConfigFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const extension = extname(path).toLowerCase();
  checkIsFile(path);
  if (extension !== '.json' && !SCRIPTS.includes(extension)) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${path} is no config: give one in TypeScript, JavaScript or JSON (${[...SCRIPTS, '.json'].join(' ')})`,
    );
  }
  const exported = extension === '.json' ? readJson(path) : await runScript(path);
  if (isConfig(exported)) return exported;
  const mend =
    extension === '.json'
      ? 'write an object with the key guests'
      : 'end it with `export default defineConfig({ guests: [ … ] })`';
  throw new RmkError('RMK_ERR_INPUT', `${path} gives no config: ${mend}`);
}

/** Not what merely has a wrong key: that is better told by its name. */
function isConfig(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).some((key) => nearest(key, KEYS) !== undefined);
}

/** Read here, because c12 leaves JSON to `require`, which tells no line and keeps what it has read once. */
function readJson(path: string): unknown {
  const text = readText(path).replace(/^\uFEFF/, '');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${path} is not valid JSON: ${placedJsonError(messageOf(error), text)}`,
    );
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RmkError('RMK_ERR_INPUT', `${path} cannot be read: ${messageOf(error)}`);
  }
}

/** Node 20 gives the position alone. */
function placedJsonError(message: string, text: string): string {
  const [, position] = /at position (\d+)$/.exec(message) ?? [];
  if (position === undefined) return message;
  const before = text.slice(0, Number(position)).split('\n');
  return `${message} (line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1})`;
}

/** Runs the named file and nothing else: no other config, no defaults of a user or a package, no `.env`. */
async function runScript(path: string): Promise<unknown> {
  const cwd = dirname(path);
  try {
    const { config } = await loadConfig({
      cwd,
      configFile: basename(path),
      configFileRequired: true,
      rcFile: false,
      globalRc: false,
      packageJson: false,
      dotenv: false,
      envName: false,
      extend: false,
      giget: false,
      // There is one source, and it is not to be copied: it holds classes.
      merger: (...sources) => sources.find((source) => source !== undefined) ?? {},
      jitiOptions: { fsCache: false, virtualModules: OURS },
    });
    return config;
  } catch (error) {
    // c12 looks for its own keys in what a function gave, without asking whether it gave anything.
    if (error instanceof TypeError && error.message.endsWith("(reading '$meta')")) return undefined;
    throw new RmkError('RMK_ERR_INPUT', `${path} failed: ${scriptError(error, cwd)}`, { cause: error });
  }
}

function scriptError(error: unknown, folder: string): string {
  const message = messageOf(error).replace(/^ParseError: /, '');
  const [, missing] = /Cannot find (?:module|package) '([^']+)'/.exec(message) ?? [];
  if (missing !== undefined) return `it imports ${missing}, which is not there: install it, or mend the path`;
  const oneLine = message.replaceAll(/\s+/g, ' ').trim();
  const place = placeOf(error, folder);
  return place === undefined || oneLine.includes(place) ? oneLine : `${oneLine} (${place})`;
}

/** The innermost place in the files of the user that a stack trace names. */
function placeOf(error: unknown, folder: string): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, file = '', place = ''] of stack.matchAll(
    /(?:at |\()((?:file:\/\/)?\/[^\s()]*?)(:\d+:\d+)\)?$/gm,
  )) {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (resolve(path).startsWith(folder) && !path.includes('/node_modules/')) return `${path}${place}`;
  }
  return undefined;
}
