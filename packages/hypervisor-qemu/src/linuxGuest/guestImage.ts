import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RmkError } from '@rmk/core';
import type { GuestPackages } from './debianPackages.js';
import { initramfs, type InitramfsEntry } from './initramfs.js';
import { knownAnswers } from './knownAnswers.js';
import { GuestTree } from './guestTree.js';
import { runTool } from './toolCommand.js';
import type { Progress } from './hostPackages.js';
import type { GuestDescription } from './guestDescription.js';

/** Sources of the guest that are not Debian's. */
const GUEST_SOURCES = fileURLToPath(new URL('../../guest', import.meta.url));

const SAMPLE_BYTES = 1024 * 1024;
/** In the order in which they are loaded. */
const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_console',
  'virtio_blk',
  'virtio_balloon',
  'pvpanic',
  'pvpanic-pci',
];
const PROGRAMS = ['busybox', 'perl', 'openssl', 'mini_httpd'];
const LOADER = 'ld-linux-x86-64.so.2';
const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wconversion', '-Wmissing-prototypes'];
const UNSAFE_FOR_MAKE = /[^\w./+@~-]/;

export interface ImageSources {
  readonly packages: GuestPackages;
  /** The downloaded packages. */
  readonly files: readonly string[];
  readonly sources: string;
}

/** Builds kernel and initial RAM file system into `folder`. Needs no rights, and installs nothing. */
export async function buildGuestImage(
  folder: string,
  { packages, files, sources }: ImageSources,
  progress: Progress,
): Promise<void> {
  if (UNSAFE_FOR_MAKE.test(folder)) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `kernel modules cannot be built in ${folder}: make takes no spaces or special characters; set XDG_CACHE_HOME to a plain path`,
    );
  }
  const work = join(folder, 'work');
  const tree = new GuestTree(join(work, 'tree'));
  progress('Unpacking the Debian packages');
  await mkdir(tree.folder, { recursive: true });
  for (const path of files) await runTool('dpkg-deb', ['--extract', path, tree.folder]);
  progress('Building heartbeat and fault module');
  const heartbeat = await compileHeartbeat(work, packages.compiler);
  const faultModule = await compileFaultModule(work, tree, packages);
  progress('Packing the initial RAM file system');
  const image = await imageEntries(tree, packages.kernelRelease);
  const sample = (await readFile(tree.program('perl'))).subarray(0, SAMPLE_BYTES);
  const archive = initramfs([
    ...image,
    file('bin/heartbeat', heartbeat, true),
    file('modules/rmk_fault.ko', faultModule),
    file('job-data/sample', sample),
    file('www/sample', sample),
  ]);
  progress('Working out the known answers of the jobs');
  const answers = await knownAnswers(tree, sample, join(GUEST_SOURCES, 'image', 'hash.pl'));
  const description: GuestDescription = {
    sources,
    kernelRelease: packages.kernelRelease,
    packages: Object.fromEntries(packages.all.map(({ name, version }) => [name, version])),
    answers,
  };
  await writeFile(join(folder, 'vmlinuz'), await readFile(tree.kernel(packages.kernelRelease)));
  await writeFile(join(folder, 'initramfs.cpio'), archive);
  await writeFile(join(folder, 'guest.json'), `${JSON.stringify(description, undefined, 2)}\n`);
}

/** A digest of everything that this package adds to the guest, its own build included. */
export async function sourcesDigest(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([SAMPLE_BYTES, MODULES, PROGRAMS]));
  for (const path of await filesBelow(GUEST_SOURCES)) {
    hash.update(`${path.slice(GUEST_SOURCES.length)}\0`).update(await readFile(path));
  }
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

async function compileHeartbeat(work: string, compiler: string): Promise<Uint8Array> {
  const output = join(work, 'heartbeat');
  const source = join(GUEST_SOURCES, 'heartbeat.c');
  await runTool(compiler, ['-std=gnu11', '-O2', '-static', ...WARNINGS, source, '-o', output]);
  return readFile(output);
}

async function compileFaultModule(
  work: string,
  tree: GuestTree,
  { kernelRelease }: GuestPackages,
): Promise<Uint8Array> {
  const module = join(work, 'fault');
  await mkdir(module);
  for (const name of ['Kbuild', 'rmk_fault.c']) {
    await writeFile(join(module, name), await readFile(join(GUEST_SOURCES, 'fault', name)));
  }
  const headers = await tree.headers(kernelRelease);
  await runTool('make', ['-C', headers, `M=${module}`, 'modules'], {
    environment: { LD_LIBRARY_PATH: tree.libraryPath },
  });
  const stripped = join(work, 'rmk_fault.ko');
  await runTool('strip', ['--strip-debug', join(module, 'rmk_fault.ko'), '-o', stripped]);
  return readFile(stripped);
}

async function imageEntries(tree: GuestTree, kernelRelease: string): Promise<readonly InitramfsEntry[]> {
  const source = (name: string) => readFile(join(GUEST_SOURCES, 'image', name));
  const modules = await tree.modules(kernelRelease, MODULES);
  const libraries = await tree.librariesOf(PROGRAMS);
  const applets = (await runTool(tree.program('busybox'), ['--list'])).toString().trim().split('\n');
  const programs = await Promise.all(
    PROGRAMS.map(async (name) => file(`bin/${name}`, await readFile(tree.program(name)), true)),
  );
  const own = new Set(PROGRAMS);
  return [
    ...['dev', 'proc', 'sys', 'tmp'].map((path): InitramfsEntry => ({ kind: 'folder', path })),
    // The first process has no other standard input and output before it has mounted /dev.
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    file('init', await source('init'), true),
    file('bin/job', await source('job'), true),
    file('bin/order', await source('order'), true),
    file('job-data/hash.pl', await source('hash.pl')),
    file('etc/passwd', Buffer.from('root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')),
    file('modules/order', Buffer.from([...MODULES, 'rmk_fault'].map((name) => `${name}.ko\n`).join(''))),
    ...modules.map(({ name, data }) => file(`modules/${name}.ko`, data)),
    ...programs,
    ...applets
      .filter((name) => !own.has(name))
      .map((name): InitramfsEntry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
    ...libraries.map(({ path, data }) => file(`lib/${basename(path)}`, data, true)),
    { kind: 'link', path: `lib64/${LOADER}`, target: `../lib/${LOADER}` },
  ];
}

function file(path: string, data: Uint8Array, executable = false): InitramfsEntry {
  return { kind: 'file', path, data, executable };
}
