// Packs the packages of the project as `npm publish` does, and makes another package use the tarballs.
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { published, readJson, root } from './workspaces.mjs';

const run = promisify(execFile);

/** Where a package outside this clone keeps the tarballs. */
export const FOLDER = 'rmk-packages';

export async function packPackages(folder) {
  const only = published.map(({ manifest }) => `--workspace=${manifest.name}`);
  const args = ['pack', ...only, '--json', '--loglevel=error', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: 1 << 26 });
  return new Map(JSON.parse(stdout).map(({ name, filename }) => [name, join(folder, filename)]));
}

export function usePacked(folder, packed) {
  const path = join(folder, 'package.json');
  const manifest = readJson(path);
  const tarballs = new Map([...packed].map(([name, tarball]) => [name, `file:${tarball}`]));
  const replaced = (wanted = {}) =>
    Object.fromEntries(Object.entries(wanted).map(([name, range]) => [name, tarballs.get(name) ?? range]));
  const used = {
    ...manifest,
    dependencies: replaced(manifest.dependencies),
    devDependencies: replaced(manifest.devDependencies),
    overrides: Object.fromEntries(tarballs),
  };
  writeFileSync(path, `${JSON.stringify(used, undefined, 2)}\n`);
}

/** Packs all packages into `FOLDER` below `directory`, and makes the package there use them. */
export async function usePackedBeside(directory) {
  const folder = join(directory, FOLDER);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const packed = await packPackages(folder);
  usePacked(
    directory,
    new Map(Array.from(packed, ([name, tarball]) => [name, `${FOLDER}/${basename(tarball)}`])),
  );
  return packed;
}
