import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RmkError } from '@rmk/core';
import { updateLists, type Progress, type SetUp } from './hostPackages.js';
import { runTool } from './toolCommand.js';

/** A package of the Debian release that this machine follows. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** What the demo guest is made of. */
export interface GuestPackages {
  /** As `uname -r` prints it in the guest. */
  readonly kernelRelease: string;
  /** The compiler that the kernel was built with, which its modules need too: `gcc-12`. */
  readonly compiler: string;
  readonly all: readonly DebianPackage[];
}

const KERNEL = /^linux-image-(.+-cloud-amd64)$/;
const COMPILER = /^linux-compiler-(gcc-\d+)-x86$/;
const HEADERS = /^linux-(headers|kbuild)-/;
const LIBRARY = /^lib[a-z]/;
const PROGRAMS = ['busybox-static', 'perl-base', 'openssl', 'mini-httpd'];

/** Asks apt what the guest is made of today; gets the lists of packages first where apt has none. */
export async function guestPackages(setUp: SetUp): Promise<GuestPackages> {
  try {
    return await resolvePackages();
  } catch (error) {
    if (!(await updateLists(setUp))) throw listsMissing(error);
    return resolvePackages();
  }
}

function listsMissing(cause: unknown): RmkError {
  return new RmkError(
    'RMK_ERR_PACKAGE',
    "apt does not know the packages of the demo guest. Run as root: apt-get update. Debian's main section must be among the sources of apt.",
    { cause },
  );
}

async function resolvePackages(): Promise<GuestPackages> {
  const known = new Map<string, Listed>();
  const [kernelMeta] = await listed(['linux-image-cloud-amd64']);
  const kernel = matching(kernelMeta, KERNEL);
  const kernelRelease = kernel.match[1] ?? '';
  await addAll(known, [kernel.name, `linux-headers-${kernelRelease}`, ...PROGRAMS]);
  const headers = known.get(`linux-headers-${kernelRelease}`);
  const compiler = matching(headers, COMPILER).match[1] ?? '';
  for (;;) {
    const wanted = [...known.values()].flatMap(({ depends }) => depends);
    const unknown = wanted.filter((name) => (LIBRARY.test(name) || HEADERS.test(name)) && !known.has(name));
    if (unknown.length === 0) break;
    await addAll(known, [...new Set(unknown)]);
  }
  const all = [...known.values()].map(({ name, version }) => ({ name, version }));
  return { kernelRelease, compiler, all: all.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

interface Listed extends DebianPackage {
  readonly depends: readonly string[];
}

async function addAll(known: Map<string, Listed>, names: readonly string[]): Promise<void> {
  for (const found of await listed(names)) known.set(found.name, found);
}

async function listed(names: readonly string[]): Promise<readonly Listed[]> {
  const text = (await runTool('apt-cache', ['show', '--no-all-versions', ...names])).toString();
  return text
    .split('\n\n')
    .filter((stanza) => stanza.trim() !== '')
    .map((stanza) => {
      const name = field(stanza, 'Package');
      const version = field(stanza, 'Version');
      const depends = `${field(stanza, 'Pre-Depends')},${field(stanza, 'Depends')}`;
      return { name, version, depends: dependencies(depends) };
    });
}

function field(stanza: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
}

/** The first of alternatives, without versions. */
function dependencies(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(part)?.[1])
    .filter((name) => name !== undefined);
}

function matching(of: Listed | undefined, pattern: RegExp): { name: string; match: RegExpExecArray } {
  for (const name of of?.depends ?? []) {
    const match = pattern.exec(name);
    if (match !== null) return { name, match };
  }
  throw new RmkError(
    'RMK_ERR_PACKAGE',
    `no package that matches ${pattern.source} in ${of?.name ?? "apt's lists"}`,
  );
}

/** Downloads what is not in `folder` yet; apt checks it against the signed lists. */
export async function download(
  packages: readonly DebianPackage[],
  folder: string,
  progress: Progress,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = packages.map((wanted) => ({ wanted, folder: join(folder, fileName(wanted)) }));
  for (const { wanted, folder: own } of files) {
    if (await isFolder(own)) continue;
    progress(`Downloading ${wanted.name} ${wanted.version}`);
    // apt-get names the file by itself, and an interrupted download must not count.
    const incoming = `${own}.incoming-${process.pid}`;
    await rm(incoming, { recursive: true, force: true });
    await mkdir(incoming, { mode: 0o700 });
    try {
      await runTool('apt-get', ['download', '-qq', `${wanted.name}=${wanted.version}`], { folder: incoming });
      await rename(incoming, own).catch(async (error: unknown) => {
        if (!(await isFolder(own))) throw error; // Another process was faster.
      });
    } finally {
      await rm(incoming, { recursive: true, force: true });
    }
  }
  return Promise.all(files.map(async ({ folder: own }) => join(own, (await readdir(own))[0] ?? '')));
}

function fileName({ name, version }: DebianPackage): string {
  return encodeURIComponent(`${name}_${version}`);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
