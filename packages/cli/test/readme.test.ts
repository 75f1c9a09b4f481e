import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../src/index.js';
import { folderWith, rmk } from './rmk.js';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
/** The files that the README shows, by name. */
const FILES = Object.fromEntries(
  [...README.matchAll(/^`([\w.]+)`:\n\n```\w*\n(.*?)^```$/gms)].map(([, name = '', content = '']) => [
    name,
    content,
  ]),
);
/** What it says that commands print. */
const TRANSCRIPTS = new Map(
  [...README.matchAll(/^\$ rmk (.*?)\n(.*?)^```$/gms)].map(([, command = '', output = '']) => [
    command,
    output,
  ]),
);

describe('the README', () => {
  it.each(['rmk.config.ts', 'rmk.config.json', 'fault.config.ts'])(
    'shows a config that works: %s',
    async (name) => {
      const { code, err } = await rmk(['run', join(folderWith(FILES), name)]);
      expect({ code, err }).toEqual({ code: ExitCode.DONE, err: '' });
    },
  );

  it('shows what that prints, but for the numbers', async () => {
    const shown = TRANSCRIPTS.get('run rmk.config.ts') ?? '';
    const { out } = await rmk(['run', join(folderWith(FILES), 'rmk.config.ts')]);
    // Which guest comes first is no result, since each has a clock of its own.
    const linesOf = (text: string, of: string): readonly string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith(of))
        .map((line) => line.replaceAll(/[0-9a-f]{8}|\d+/g, '#'));
    for (const guest of ['tasks', 'server']) {
      expect(linesOf(shown, guest).length).toBeGreaterThan(3);
      expect(linesOf(out, guest)).toEqual(linesOf(shown, guest));
    }
  });
});
