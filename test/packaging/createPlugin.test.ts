import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packPackages } from '../../scripts/packedPackages.mjs';
import { emptyFolder, install, installPacked } from './packedPackages.js';

const KINDS = ['pin', 'detector', 'recovery', 'algorithm'] as const;

const tarballs = emptyFolder('packed');
const generator = emptyFolder('generator');
const plugins = emptyFolder('plugins');

/** Runs a program and gives what it printed; fails with all of it. */
function run(cwd: string, program: string, ...args: readonly string[]): string {
  // What vitest sets for the tests that run here is not for those that are run.
  const env = { ...process.env, NO_COLOR: '1', VITEST: undefined };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`);
}

/** A folder whose `package.json` says this. */
function describedFolder(path: string, manifest: object): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify(manifest));
  return path;
}

beforeAll(async () => {
  const packed = await packPackages(tarballs.path);
  const dependencies = { 'create-rmk-plugin': '*' };
  await installPacked(describedFolder(generator.path, { private: true, dependencies }), packed);
  const create = join(generator.path, 'node_modules', '.bin', 'create-rmk-plugin');
  for (const kind of KINDS) run(plugins.path, create, `made-${kind}`, '--kind', kind);
  // One installation for all of them, each as it was written.
  await installPacked(describedFolder(plugins.path, { private: true, workspaces: ['*'] }), packed);
});

afterAll(() => {
  for (const folder of [plugins, generator, tarballs]) folder[Symbol.dispose]();
});

describe.each(KINDS)('a generated %s, with the packages as published', (kind) => {
  const folder = join(plugins.path, `rmk-plugin-made-${kind}`);

  it('is built, and passes the type check with the example of its README', () => {
    run(folder, 'npm', 'run', 'build');
    const [, example] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? [];
    expect(example).toContain(`from 'rmk-plugin-made-${kind}'`);
    writeFileSync(join(folder, 'test', 'readmeExample.ts'), example ?? '');
    run(folder, 'npm', 'run', 'check');
  });

  it('passes its own test', () => {
    expect(run(folder, 'npm', 'run', 'test')).toMatch(/Tests +\d+ passed \(\d+\)/);
  });

  it('is packed with what others need of it, and no more', () => {
    const [packed] = JSON.parse(run(folder, 'npm', 'pack', '--dry-run', '--ignore-scripts', '--json')) as [
      { readonly files: readonly { readonly path: string }[] },
    ];
    const files = packed.files.map(({ path }) => path);
    expect(files).toEqual(
      expect.arrayContaining([
        'README.md',
        'package.json',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/events.d.ts',
      ]),
    );
    expect(files.filter((path) => !/^(dist\/|README\.md$|package\.json$)/.test(path))).toEqual([]);
  });
});

describe('a plugin that is written from a clone, where no registry has RMK', () => {
  const script = fileURLToPath(new URL('../../scripts/createPlugin.mjs', import.meta.url));

  it('is installed from what lies beside it, wherever the folder is moved, and passes its own test', async () => {
    using place = emptyFolder('clone');
    const INIT_CWD = place.path;
    const args = [script, 'made-here', '--kind', 'recovery'];
    const { status, stdout } = spawnSync(process.execPath, args, {
      env: { ...process.env, INIT_CWD },
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('RMK lies in rmk-packages')]);
    const folder = join(place.path, 'moved');
    renameSync(join(place.path, 'rmk-plugin-made-here'), folder);
    await install(folder);
    run(folder, 'npm', 'run', 'build');
    expect(run(folder, 'npm', 'test')).toMatch(/Tests +\d+ passed \(\d+\)/);
  });

  it('is not written where the order is wrong, and nothing is packed', () => {
    using place = emptyFolder('clone');
    const { status, stderr } = spawnSync(process.execPath, [script, 'Made Here', '--kind', 'pin'], {
      env: { ...process.env, INIT_CWD: place.path },
      encoding: 'utf8',
    });
    expect([status, readdirSync(place.path)]).toEqual([2, []]);
    expect(stderr).not.toContain('    at ');
  });
});
