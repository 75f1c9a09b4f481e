import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

/** The path of the tarball of each package of this project, by the package's name. */
export type PackedPackages = ReadonlyMap<string, string>;

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

/** An empty folder outside the project, so that nothing of the project is found from there by accident. */
export function emptyFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `rmk-${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Packs all packages into a folder as `npm publish` would, from what was built; `npm test` builds before. */
export async function packPackages(folder: string): Promise<PackedPackages> {
  const args = ['pack', '--workspaces', '--json', '--loglevel=error', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: 1 << 26 });
  const packed = JSON.parse(stdout) as readonly { readonly name: string; readonly filename: string }[];
  return new Map(packed.map(({ name, filename }) => [name, join(folder, filename)]));
}

/**
 * Installs what the `package.json` in `folder` names, our own packages from their tarballs: what depends on one of them
 * gets the tarball too, and no registry is asked for it.
 */
export async function installPacked(folder: string, packed: PackedPackages): Promise<void> {
  const path = join(folder, 'package.json');
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(withTarballs(manifest as PackageJson, packed), undefined, 2));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    maxBuffer: 1 << 26,
  });
  if (!existsSync(join(folder, 'node_modules'))) throw new Error(`npm installed nothing in ${folder}`);
}

function withTarballs(manifest: PackageJson, packed: PackedPackages): PackageJson {
  const tarballs = new Map([...packed].map(([name, tarball]) => [name, `file:${tarball}`]));
  const replaced = (wanted: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(wanted).map(([name, range]) => [name, tarballs.get(name) ?? range]));
  return {
    ...manifest,
    dependencies: replaced(manifest.dependencies),
    devDependencies: replaced(manifest.devDependencies),
    overrides: Object.fromEntries(tarballs),
  };
}
