import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, extname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as campaign from '@rmk/campaign';
import * as checkpoint from '@rmk/checkpoint';
import * as core from '@rmk/core';
import { hasCode, messageOf, RmkError } from '@rmk/core';
import * as guests from '@rmk/guests';
import * as preset from '@rmk/preset-microcheckpoint';
import { createJiti, type Jiti } from 'jiti';
import * as tsyringe from 'tsyringe';
import * as zod from 'zod';
import { defineConfig } from '../defineConfig.js';
import { defineExperiment } from '../inject/defineExperiment.js';

/**
 * Packages that a config can import even where nothing is installed: this very copy. Two copies of tsyringe could not
 * inject into each other's classes.
 */
const OURS: Readonly<Record<string, unknown>> = {
  '@rmk/cli': { defineConfig, defineExperiment },
  '@rmk/campaign': campaign,
  zod,
  '@rmk/core': core,
  '@rmk/checkpoint': checkpoint,
  '@rmk/guests': guests,
  '@rmk/preset-microcheckpoint': preset,
  tsyringe,
  'reflect-metadata': {},
};

/** Imports TypeScript and JavaScript on behalf of a config file, without a build step and without a cache. */
export class ConfigScripts {
  private readonly jiti: Jiti;
  /** Relative paths begin here. */
  readonly folder: string;

  constructor(private readonly configPath: string) {
    this.folder = dirname(configPath);
    this.jiti = createJiti(configPath, {
      fsCache: false,
      moduleCache: false,
      sourceMaps: true,
      virtualModules: { ...OURS },
    });
  }

  /** Imports a package by name, or a file by a path relative to the config. */
  async import(specifier: string): Promise<unknown> {
    return this.jiti.import(specifier);
  }

  /** Runs what reads the values of a config. Throws RMK_ERR_INPUT for what a getter or function of the user throws. */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (hasCode(error) || this.placeOf(error) === undefined) throw error;
      throw new RmkError('RMK_ERR_INPUT', `${this.configPath} failed: ${this.explain(error)}`, {
        cause: error,
      });
    }
  }

  /** What `error` says and where in the user's own files, for errors that an import threw. */
  explain(error: unknown): string {
    const message = messageOf(error).replace(/^ParseError: /, '');
    const missing = missingModule(error);
    if (missing !== undefined)
      return isPath(missing)
        ? `it imports ${missing}, which is not found. Fix the path`
        : `it imports ${missing}, which is not installed. Install it, or fix its name`;
    // What an imported binding is called after the transformation.
    const oneLine = message
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/\(0 ?, ?_\w+\.(\w+)\)/g, '$1')
      .trim();
    const parsed = /^(.*?) ?(\/\S*):(\d+):(\d+)$/.exec(oneLine);
    if (parsed !== null) {
      const [, what = '', file = '', line = '', column = '0'] = parsed;
      return `${what} (${file}:${line}:${Number(column) + 1})`;
    }
    const place = this.placeOf(error);
    return place === undefined ? oneLine : `${oneLine} (${place})`;
  }

  /** The innermost place in the user's own files that the stack of `error` names. */
  private placeOf(error: unknown): string | undefined {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    for (const [, file = '', line, column] of stack.matchAll(
      /(?:at |\()((?:file:\/\/)?\/[^\s()]*?):(\d+):(\d+)\)?$/gm,
    )) {
      const path = file.startsWith('file:') ? fileURLToPath(file) : file;
      if (!resolve(path).startsWith(this.folder + sep) || path.includes('/node_modules/')) continue;
      return this.original(path, Number(line), Number(column));
    }
    return undefined;
  }

  /** jiti runs transformed code and Node knows no source map of it: its lines are right, its columns are not. */
  private original(path: string, line: number, column: number): string {
    try {
      const source = readFileSync(path, 'utf8');
      const ts = /^\.[mc]?ts$/.test(extname(path));
      const code = this.jiti.transform({ filename: path, source, ts, async: true });
      const [, map = ''] = /sourceMappingURL=data:[^,]*;base64,(\S+)/.exec(code) ?? [];
      const payload = JSON.parse(Buffer.from(map, 'base64').toString()) as SourceMapPayload;
      const entry = new SourceMap(payload).findEntry(line - 1, column - 1);
      if ('originalLine' in entry) return `${path}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    } catch {
      // Without a map the line alone is certain.
    }
    return `${path}:${line}`;
  }
}

/** The module or package that an import did not find, as it was named. Undefined for any other error. */
export function missingModule(error: unknown): string | undefined {
  return /Cannot find (?:module|package) '([^']+)'/.exec(messageOf(error))?.[1];
}

/** Whether a module is named by the path of a file, not by a package. */
export function isPath(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier);
}
