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
  return ['src', 'test']
    .map((folder) => join(path, folder))
    .filter(existsSync)
    .flatMap((folder) => statedVersionsIn(folder, version));
}

/** The same for any folder of TypeScript. */
export function statedVersionsIn(folder, version) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => join(folder, file))
    .map((file) => {
      const text = readFileSync(file, 'utf8');
      const stamped = text
        .replace(/(\bRMK_VERSION = ')[^']+'/, `$1${version}'`)
        // A plugin of the project has the version of RMK.
        .replaceAll(/(\bversion: ')(\d+\.\d+\.\d+)(',\s+rmk: '\^)\2'/g, `$1${version}$3${version}'`)
        .replaceAll(/(\brmk: '\^)\d+\.\d+\.\d+'/g, `$1${version}'`);
      return { file, text, stamped };
    });
}
