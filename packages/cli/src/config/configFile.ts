import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import { nearest } from '@rmk/kernel';
import { configSchema } from './configSchema.js';
import type { ConfigScripts } from './configScript.js';
import { checkIsFile } from './inputFile.js';

const SCRIPTS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** What a file is expected to export. */
export interface ExpectedExport {
  readonly keys: readonly string[];
  /** What it is called in messages. */
  readonly what: string;
  readonly fixJson: string;
  readonly fixScript: string;
}

const CONFIG: ExpectedExport = {
  keys: Object.keys(configSchema.shape),
  what: 'a config',
  fixJson: 'Write an object with the key guests.',
  fixScript: 'End it with `export default defineConfig({ guests: [ … ] })`.',
};

/**
 * What a config file exports, not validated. Throws RMK_ERR_INPUT if there is no such file, if it does not export a
 * config, or if it fails, with the place of the failure.
 */
export async function readConfigFile(
  path: string,
  scripts: ConfigScripts,
  expected: ExpectedExport = CONFIG,
): Promise<Readonly<Record<string, unknown>>> {
  const extension = extname(path).toLowerCase();
  checkIsFile(path);
  if (extension !== '.json' && !SCRIPTS.includes(extension)) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${path} is not ${expected.what}. Use TypeScript, JavaScript or JSON (${[...SCRIPTS, '.json'].join(' ')}).`,
    );
  }
  const exported = extension === '.json' ? readJson(path) : await runScript(path, scripts);
  if (isExpected(exported, expected)) return exported;
  const fix = extension === '.json' ? expected.fixJson : expected.fixScript;
  throw new RmkError('RMK_ERR_INPUT', `${path} does not export ${expected.what}. ${fix}`);
}

/** An object with a misspelt key still counts: that key has a better message of its own. */
function isExpected(value: unknown, { keys }: ExpectedExport): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).some((key) => nearest(key, keys) !== undefined);
}

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

/** Adds line and column, since Node 20 gives only the position. */
function placedJsonError(message: string, text: string): string {
  const [, position] = /at position (\d+)$/.exec(message) ?? [];
  if (position === undefined) return message;
  const before = text.slice(0, Number(position)).split('\n');
  return `${message} (line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1})`;
}

/** The default export. A function is called, and its result awaited. */
async function runScript(path: string, scripts: ConfigScripts): Promise<unknown> {
  try {
    const module = await scripts.import(path);
    const exported: unknown =
      typeof module === 'object' && module !== null && 'default' in module ? module.default : module;
    return typeof exported === 'function' ? ((await exported()) as unknown) : exported;
  } catch (error) {
    throw new RmkError('RMK_ERR_INPUT', `${path} failed: ${scripts.explain(error)}`, { cause: error });
  }
}
