import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RMK_VERSION } from '@rmk/core';
import { afterAll, describe, expect, it } from 'vitest';
import { ExitCode, main } from '../src/index.js';

interface Said {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

async function rmk(...args: readonly string[]): Promise<Said> {
  const said = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
  });
  return { code, ...said };
}

describe('rmk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rmk-cli-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const fileOf = (name: string, data: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, data);
    return path;
  };

  it('prints its version', async () => {
    expect(await rmk('--version')).toEqual({ code: ExitCode.DONE, out: `${RMK_VERSION}\n`, err: '' });
  });

  it('explains itself', async () => {
    const { code, out } = await rmk('start', '--help');
    expect(code).toBe(ExitCode.DONE);
    expect(out).toContain('--file <path>');
  });

  it('shares one copy of commander with create-rmk-plugin, for which the root package names it too', () => {
    const resolvedFrom = (path: string) => createRequire(new URL(path, import.meta.url)).resolve('commander');
    expect(resolvedFrom('../package.json')).toBe(resolvedFrom('../../create-rmk-plugin/package.json'));
  });

  it('reports every unknown option of every command in one message', async () => {
    for (const command of [
      ['start'],
      ['run'],
      ['doctor'],
      ['bench', 'qemu'],
      ['demo', 'qemu'],
      ['model', 'advise'],
    ]) {
      const { code, out, err } = await rmk(...command, '--bogus');
      expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
      expect(err).toMatch(/^error: unknown option '--bogus'\n$/);
    }
  });

  it('suggests the command that was meant', async () => {
    const { code, err } = await rmk('strat');
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain('Did you mean start?');
  });

  it('explains itself where no command is given, and says that one is missing', async () => {
    const { code, err } = await rmk();
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain('Usage: rmk');
  });

  it.each([
    ['an unknown option', ['start', '--fiel', 'x'], '--fiel'],
    ['a seed that is no number', ['start', '--seed', 'x'], 'whole number'],
    ['a negative seed', ['start', '--seed', '-1'], 'whole number'],
    ['a file that is not there', ['start', '--file', join(folder, 'nowhere')], join(folder, 'nowhere')],
    ['a folder for a file', ['start', '--file', folder], folder],
    ['an empty file', ['start', '--file', fileOf('empty', new Uint8Array(0))], 'empty'],
    ['a file that is too large', ['start', '--file', fileOf('large', new Uint8Array(5 << 20))], 'large'],
  ])('refuses %s in a line, without a stack trace, before anything runs', async (_, args, named) => {
    const { code, out, err } = await rmk(...args);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain(named);
    expect(err).not.toMatch(/\n\s+at /);
    expect(out).toBe('');
  });
});
