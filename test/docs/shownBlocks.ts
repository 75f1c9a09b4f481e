import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { main } from '@rmk/cli';
import { RMK_VERSION } from '@rmk/core';
import { pluginNames } from 'create-rmk-plugin';
import { vi } from 'vitest';
import { guestOutput } from './guestOutput.js';
import { differingValues } from './statedValues.js';

/**
 * A code block of a Markdown file with the comment above it that says where it comes from:
 *
 * - `<!-- code: <file> -->`, or `<file>#<region>` for the lines between `// #region <region>` and `// #endregion`;
 *   ` as <name>` fills in the template of a plugin with that name;
 * - `<!-- output: <program> -->`: what it prints. `rmk …` runs the command line, `guest <name> [boot file]` a guest
 *   alone. A first line `$ …` is the reader's command. A line `...` or `…` stands for any lines of the output;
 * - `<!-- timed output: <program> -->`: the same for a program that prints host times without saying so;
 * - `<!-- values: <package> -->`: code, each value of which is the one that the comment behind it states.
 */
export interface ShownBlock {
  readonly file: string;
  readonly kind: 'code' | 'output' | 'timed output' | 'values';
  readonly source: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const BLOCK = /(^<!-- (code|output|timed output|values): (.+?) -->\n+```\w*\n)([\s\S]*?)(^```$)/gm;

export function shownBlocks(file: string): readonly ShownBlock[] {
  return [...contentsOf(file).matchAll(BLOCK)].map(([, , kind, source = '', text = '']) => ({
    file,
    kind: kind as ShownBlock['kind'],
    source,
    text,
  }));
}

/** What the block has to be. Host times differ from run to run, so those shown are kept. */
export async function expectedText({ kind, source, text }: ShownBlock): Promise<string> {
  if (kind === 'code') return code(source);
  if (kind === 'values') return `${text}${await differingValues(text, source)}`;
  const [, command = '', shown = ''] = /^(\$ (?:.*\\\n)*.*\n)?([\s\S]*)$/.exec(text) ?? [];
  if (command !== '' && command.replaceAll(/\\\n +/g, '') !== `$ ${withoutFolders(source)}\n`) {
    return `$ ${withoutFolders(source)}\n${shown}`;
  }
  const printed = withTimesOf(shown, await output(source), kind === 'output' ? HOST_TIME : ANY_MILLISECONDS);
  return isExcerptOf(shown, printed) ? text : `${command}${printed}`;
}

/** Writes what has to be shown into the file. */
export function updateBlock(block: ShownBlock, text: string): void {
  const updated = contentsOf(block.file).replaceAll(BLOCK, (match, above, kind, source, _, below) =>
    kind === block.kind && source === block.source ? `${above}${text}${below}` : match,
  );
  writeFileSync(`${root}${block.file}`, updated);
}

export function contentsOf(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8');
}

function code(source: string): string {
  const [, path = '', region, name] = /^([^#\s]+)(?:#(\S+))?(?: as (\S+))?$/.exec(source) ?? [];
  const text = contentsOf(path);
  const lines = region === undefined ? text : regionOf(text, region, path);
  return name === undefined ? lines : filledIn(lines, name);
}

function regionOf(text: string, region: string, path: string): string {
  const [, indent = '', lines] =
    new RegExp(`^( *)// #region ${region}\\n([\\s\\S]*?)^ *// #endregion`, 'm').exec(text) ?? [];
  if (lines === undefined) throw new Error(`${path} has no region ${region}`);
  return lines.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

/** As `npm create rmk-plugin` fills in a template. */
function filledIn(text: string, name: string): string {
  const { packageName, pascalCase, camelCase, capitals } = pluginNames(name);
  return text
    .replaceAll('rmk-plugin-plugin-name', packageName)
    .replaceAll('PLUGINNAME', capitals)
    .replaceAll('PluginName', pascalCase)
    .replaceAll('pluginName', camelCase)
    .replaceAll('0.0.0-rmk', RMK_VERSION);
}

async function output(source: string): Promise<string> {
  const [program = '', ...args] = source.split(' ');
  if (program === 'rmk') return outputOfCommand(args);
  if (program === 'guest') return guestOutput(args[0] ?? '', args[1]);
  return outputOfProgram(program);
}

/** A command as a reader gives it who is in the folder of the example. */
function withoutFolders(command: string): string {
  return command.replaceAll(/(?<= )\S+\//g, '');
}

/** The folder of an example's files is shown as `/home/you`, or not at all in a path that is relative to it. */
async function outputOfCommand(args: readonly string[]): Promise<string> {
  const printed: string[] = [];
  await main(args, {
    out: (text) => void printed.push(text),
    err: (text) => void printed.push(text),
  });
  const folders = args.filter((arg) => arg.includes('/')).map((path) => dirname(path));
  return folders.reduce(
    (text, folder) => text.replaceAll(resolve(folder), '/home/you').replaceAll(`${folder}/`, ''),
    printed.join('').replaceAll(SLOW, ''),
  );
}

async function outputOfProgram(path: string): Promise<string> {
  const printed: string[] = [];
  const log = vi
    .spyOn(console, 'log')
    .mockImplementation((...what: readonly unknown[]) => void printed.push(`${format(...what)}\n`));
  try {
    await import(/* @vite-ignore */ `${root}${path}`);
  } finally {
    log.mockRestore();
  }
  return printed.join('');
}

/** What a busy host adds. */
const SLOW = /^.*(?: is slow| holds the guest): .*\(budget .*\)\n/gm;
const HOST_TIME = /\d+(?:\.\d+)? ms of host time/g;
const ANY_MILLISECONDS = / *\d+\.\d+ ms/g;

function withTimesOf(shown: string, printed: string, pattern: RegExp): string {
  const times = shown.match(pattern) ?? [];
  let next = 0;
  return printed.replaceAll(pattern, (time) => times[next++] ?? time);
}

const ELISION = /^(?:\.\.\.|…)\n/m;

/** Whether `shown` leaves lines out of `printed`, and is right where it does not. */
function isExcerptOf(shown: string, printed: string): boolean {
  const [first = '', ...parts] = shown.split(ELISION);
  const last = parts.pop();
  if (last === undefined || !printed.startsWith(first) || !printed.endsWith(last)) return false;
  let from = first.length;
  for (const part of parts) {
    const at = printed.indexOf(`\n${part}`, from - 1);
    if (at < 0) return false;
    from = at + 1 + part.length;
  }
  return from <= printed.length - last.length;
}
