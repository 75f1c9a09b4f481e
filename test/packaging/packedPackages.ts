import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { usePacked, type PackedPackages } from '../../scripts/packedPackages.mjs';

const run = promisify(execFile);

/** An empty folder outside the project, so that nothing of the project is found from there by accident. */
export function emptyFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `rmk-${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Installs what the `package.json` in `folder` names, our own packages from their tarballs. */
export async function installPacked(folder: string, packed: PackedPackages): Promise<void> {
  usePacked(folder, packed);
  await install(folder);
}

export async function install(folder: string): Promise<void> {
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    maxBuffer: 1 << 26,
  });
  if (!existsSync(join(folder, 'node_modules'))) throw new Error(`npm installed nothing in ${folder}`);
}
