import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RmkError } from '@rmk/core';
import { runTool } from './toolCommand.js';

const PROGRAM_PATHS: Readonly<Record<string, string>> = {
  busybox: 'bin/busybox',
  perl: 'usr/bin/perl',
  openssl: 'usr/bin/openssl',
  mini_httpd: 'usr/sbin/mini_httpd',
};
const LIBRARY_FOLDERS = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'];
const LOADER = 'ld-linux-x86-64.so.2';

/** The folder into which the Debian packages are unpacked, and where in it things are. */
export class GuestTree {
  constructor(readonly folder: string) {}

  /** Where the loader looks for shared libraries. */
  get libraryPath(): string {
    return LIBRARY_FOLDERS.map((folder) => join(this.folder, folder)).join(':');
  }

  program(name: string): string {
    return join(this.folder, PROGRAM_PATHS[name] ?? name);
  }

  kernel(release: string): string {
    return join(this.folder, 'boot', `vmlinuz-${release}`);
  }

  /** Runs a program of the guest here, with the guest's own libraries. */
  async run(name: string, args: readonly string[]): Promise<Buffer> {
    const loader = await this.library(LOADER);
    return runTool(loader, ['--library-path', this.libraryPath, this.program(name), ...args]);
  }

  async modules(
    release: string,
    names: readonly string[],
  ): Promise<readonly { name: string; data: Buffer }[]> {
    const drivers = join(this.folder, 'lib', 'modules', release, 'kernel', 'drivers');
    const folderOf = (name: string): string => {
      if (name === 'virtio_console') return 'char';
      if (name === 'virtio_blk') return 'block';
      return name.startsWith('pvpanic') ? 'misc/pvpanic' : 'virtio';
    };
    return Promise.all(
      names.map(async (name) => ({
        name,
        data: await readFile(join(drivers, folderOf(name), `${name}.ko`)),
      })),
    );
  }

  /** The folder for building modules. Its makefile names the place where the package would be installed. */
  async headers(release: string): Promise<string> {
    const sources = join(this.folder, 'usr', 'src');
    const headers = join(sources, `linux-headers-${release}`);
    const makefile = join(headers, 'Makefile');
    const text = await readFile(makefile, 'utf8');
    await writeFile(
      makefile,
      text.replaceAll(/^include \/usr\/src\//gm, () => `include ${sources}/`),
    );
    return headers;
  }

  /** All shared libraries that these programs need, the loader included. */
  async librariesOf(programs: readonly string[]): Promise<readonly { path: string; data: Buffer }[]> {
    const found = new Map<string, string>();
    const open = programs.map((name) => this.program(name));
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      for (const name of await neededBy(file)) {
        if (found.has(name)) continue;
        const path = await this.library(name);
        found.set(name, path);
        open.push(path);
      }
    }
    found.set(LOADER, await this.library(LOADER));
    return Promise.all([...found].map(async ([name, path]) => ({ path: name, data: await readFile(path) })));
  }

  private async library(name: string): Promise<string> {
    for (const folder of LIBRARY_FOLDERS) {
      const path = join(this.folder, folder, name);
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
    throw new RmkError('RMK_ERR_PACKAGE', `the Debian packages of the demo guest do not contain ${name}`);
  }
}

async function neededBy(file: string): Promise<readonly string[]> {
  const text = (await runTool('readelf', ['--dynamic', '--wide', file])).toString();
  return [...text.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name ?? '');
}
