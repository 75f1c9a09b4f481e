// The packages of the project, in the order of the root's `workspaces`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export const workspaces = readJson(join(root, 'package.json')).workspaces.flatMap((pattern) => {
  const folder = join(root, pattern.replace(/\/\*$/, ''));
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, 'package.json')))
    .map((path) => ({ path, manifest: readJson(join(path, 'package.json')) }));
});

/** The packages that are published; the others are for work on the project. */
export const published = workspaces.filter(({ manifest }) => manifest.private !== true);

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The sources of a package that state a version: as they are, and as they must be. */
export function statedVersions({ path, manifest: { version } }) {
  return ['version.ts', 'plugin.ts']
    .map((name) => join(path, 'src', name))
    .filter(existsSync)
    .map((file) => {
      const text = readFileSync(file, 'utf8');
      const stamped = text
        .replace(/(\bRMK_VERSION = ')[^']+'/, `$1${version}'`)
        .replace(/(^\s+version: ')[^']+'/m, `$1${version}'`)
        .replace(/(^\s+rmk: '\^)[^']+'/m, `$1${version}'`);
      return { file, text, stamped };
    });
}
