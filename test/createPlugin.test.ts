import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlugin, KIND_NAMES, type Kind } from 'create-rmk-plugin';
import { emptyFolder, installPacked, packPackages } from './packedPackages.js';

const tarballs = emptyFolder('packed');
const plugins = emptyFolder('plugins');

const folderOf = (kind: Kind): string => join(plugins.path, `rmk-plugin-made-${kind}`);

/** Runs an npm script of a plugin and gives what it printed; fails with all of it. */
function npmRun(kind: Kind, script: string): string {
  const cwd = folderOf(kind);
  // What vitest sets for the tests that run here is not for those that are run.
  const env = { ...process.env, NO_COLOR: '1', VITEST: undefined };
  const { status, stdout, stderr } = spawnSync('npm', ['run', script], { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`npm run ${script} failed in ${cwd}:\n${stdout}\n${stderr}`);
}

beforeAll(async () => {
  const packed = await packPackages(tarballs.path);
  for (const kind of KIND_NAMES) createPlugin({ name: `made-${kind}`, kind, directory: folderOf(kind) });
  // One installation for all of them, each as it was written.
  writeFileSync(join(plugins.path, 'package.json'), JSON.stringify({ private: true, workspaces: ['*'] }));
  await installPacked(plugins.path, packed);
});

afterAll(() => {
  plugins[Symbol.dispose]();
  tarballs[Symbol.dispose]();
});

describe.each(KIND_NAMES)('a generated %s, with the packages as published', (kind) => {
  it('passes the type check and is built', () => {
    npmRun(kind, 'check');
    npmRun(kind, 'build');
  });

  it('passes its own test', () => {
    expect(npmRun(kind, 'test')).toMatch(/Tests +\d+ passed \(\d+\)/);
  });
});
