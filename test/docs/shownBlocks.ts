import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from '@rmk/cli';
import { pluginNames } from 'create-rmk-plugin';
import { vi } from 'vitest';

/**
 * A code block of a Markdown file with the comment above it that says where it comes from:
 *
 * - `<!-- code: <file> -->`, or `<file>#<region>` for the lines between `// #region <region>` and `// #endregion`;
 *   ` as <name>` fills in the template of a plugin with that name;
 * - `<!-- output: <program> -->`: what it prints. `rmk …` runs the command line.
 */
export interface ShownBlock {
  readonly file: string;
  readonly kind: 'code' | 'output';
  readonly source: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const BLOCK = /(^<!-- (code|output): (.+?) -->\n+```\w*\n)([\s\S]*?)(^```$)/gm;

export function shownBlocks(file: string): readonly ShownBlock[] {
  return [...contentsOf(file).matchAll(BLOCK)].map(([, , kind, source = '', text = '']) => ({
    file,
    kind: kind === 'code' ? 'code' : 'output',
    source,
    text,
  }));
}

/** What the block has to be. Host times differ from run to run, so those shown are kept. */
export async function expectedText({ kind, source, text }: ShownBlock): Promise<string> {
  if (kind === 'code') return code(source);
  return withHostTimesOf(text, await output(source));
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
    .replaceAll('0.0.0-rmk', '0.1.0');
}

async function output(program: string): Promise<string> {
  if (!program.startsWith('rmk ')) return outputOfProgram(program);
  const printed: string[] = [];
  await main(program.split(' ').slice(1), {
    out: (text) => void printed.push(text),
    err: (text) => void printed.push(text),
  });
  return printed.join('');
}

async function outputOfProgram(path: string): Promise<string> {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(`${line}\n`));
  try {
    await import(/* @vite-ignore */ `${root}${path}`);
  } finally {
    log.mockRestore();
  }
  return printed.join('');
}

const HOST_TIME = /\d+(?:\.\d+)? ms of host time/g;

function withHostTimesOf(shown: string, printed: string): string {
  const times = shown.match(HOST_TIME) ?? [];
  let next = 0;
  return printed.replaceAll(HOST_TIME, (time) => times[next++] ?? time);
}
