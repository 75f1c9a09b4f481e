import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { emptyFolder, install } from './packedPackages.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/usePacked.mjs', import.meta.url));

function usePacked(...args: readonly string[]): { readonly code: number | null; readonly err: string } {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
  return { code: status, err: stderr };
}

describe('npm run use-packed', () => {
  it("lets a program outside the project install RMK's packages without a registry that has them", async () => {
    using program = emptyFolder('program');
    const manifest = join(program.path, 'package.json');
    writeFileSync(
      manifest,
      JSON.stringify({ name: 'mine', type: 'module', dependencies: { '@rmk/cowb': '*' } }),
    );

    expect(usePacked(program.path)).toEqual({ code: 0, err: '' });
    const { overrides } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly overrides: Readonly<Record<string, string>>;
    };
    expect(Object.keys(overrides)).toEqual(expect.arrayContaining(['@rmk/core', '@rmk/cowb', '@rmk/kernel']));
    for (const tarball of Object.values(overrides)) {
      expect(tarball).toMatch(/^file:rmk-packages\/.+\.tgz$/);
      expect(existsSync(join(program.path, tarball.replace('file:', '')))).toBe(true);
    }

    await install(program.path);
    writeFileSync(
      join(program.path, 'main.js'),
      "import { cowb } from '@rmk/cowb';\nconsole.log(cowb().definition.name);\n",
    );
    const { stdout } = spawnSync(process.execPath, ['main.js'], { cwd: program.path, encoding: 'utf8' });
    expect(stdout).toBe('@rmk/cowb\n');
  });

  it('asks for a folder with a package.json', () => {
    using empty = emptyFolder('empty');
    expect(usePacked()).toEqual({
      code: 2,
      err: 'Usage: npm run use-packed -- <folder>, a folder with a package.json.\n',
    });
    expect(usePacked(empty.path)).toEqual({
      code: 2,
      err: `${empty.path} has no package.json. Run npm init there first.\n`,
    });
  });
});
