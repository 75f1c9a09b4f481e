import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf, RmkError } from '@rmk/core';
import { cacheFolder } from './privateCache.js';

const run = promisify(execFile);
const SOURCES = fileURLToPath(new URL('../../native/', import.meta.url));
const COMPILER = 'cc';
const COMPILE_LIMIT_MS = 60_000;

/** Hidden: no symbol of the library may replace one of QEMU. */
const FLAGS = [
  '-std=gnu11 -O2 -fPIC -shared -pthread -fvisibility=hidden -D_GNU_SOURCE',
  '-D_FORTIFY_SOURCE=2 -fstack-protector-strong -Wl,-z,relro,-z,now',
  '-Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla',
  '-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wwrite-strings',
].flatMap((line) => line.split(' '));

export interface NativeLibraryOptions {
  /** Folder for built libraries. Default: `$XDG_CACHE_HOME/rmk`, or `~/.cache/rmk`. */
  readonly cacheFolder?: string;
  /** The search path for the compiler. Default: `PATH`. */
  readonly path?: string;
}

/**
 * The path of the library that QEMU preloads. Built by `cc` when its sources or the compiler changed, and kept in a
 * folder that only this user can write. Throws `RMK_ERR_COMPILER` if it cannot be built.
 */
export async function buildNativeLibrary(options: NativeLibraryOptions = {}): Promise<string> {
  const path = options.path ?? process.env['PATH'] ?? '';
  const folder = options.cacheFolder ?? cacheFolder();
  const version = await compilerVersion(path);
  const names = await readdir(SOURCES, { recursive: true });
  const sources = names.filter((name) => /\.[ch]$/.test(name)).toSorted();
  const hash = createHash('sha256').update(JSON.stringify([version, FLAGS]));
  for (const name of sources) hash.update(`\0${name}\0`).update(await readFile(join(SOURCES, name)));

  await mkdir(folder, { recursive: true, mode: 0o700 });
  await checkPrivate(folder);
  const library = join(folder, `librmk-${hash.digest('hex').slice(0, 32)}.so`);
  if (await isThere(library)) {
    await checkPrivate(library);
    return library;
  }
  const unfinished = `${library}.${randomUUID()}`;
  try {
    const files = sources.filter((name) => name.endsWith('.c')).map((name) => join(SOURCES, name));
    await compile(path, [...FLAGS, '-iquote', SOURCES, '-o', unfinished, ...files, '-ldl']);
    await rename(unfinished, library);
  } finally {
    await rm(unfinished, { force: true });
  }
  return library;
}

async function compilerVersion(path: string): Promise<string> {
  try {
    return (await run(COMPILER, ['--version'], { env: environment(path), timeout: COMPILE_LIMIT_MS })).stdout;
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_COMPILER',
      `the library that protects a VM in QEMU is compiled on first use, but no C compiler "${COMPILER}" is installed in ` +
        `${path.split(delimiter).filter(Boolean).join(', ') || 'an empty PATH'}: install one (Debian: apt-get install gcc libc6-dev)`,
      { cause: error },
    );
  }
}

async function compile(path: string, args: readonly string[]): Promise<void> {
  try {
    await run(COMPILER, args, { env: environment(path), timeout: COMPILE_LIMIT_MS, maxBuffer: 1 << 24 });
  } catch (error) {
    const output = (error as { stderr?: unknown }).stderr;
    throw new RmkError(
      'RMK_ERR_COMPILER',
      `${COMPILER} cannot build the library that protects a VM in QEMU; are the C headers installed ` +
        `(Debian: apt-get install libc6-dev linux-libc-dev)? It wrote:\n${typeof output === 'string' && output !== '' ? output : messageOf(error)}`,
      { cause: error },
    );
  }
}

function environment(path: string): NodeJS.ProcessEnv {
  return { ...process.env, PATH: path, LC_ALL: 'C' };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** QEMU must load only our own library: whoever can write it can run code as us. */
async function checkPrivate(path: string): Promise<void> {
  const status = await lstat(path);
  const own = process.getuid === undefined || status.uid === process.getuid();
  if (own && !status.isSymbolicLink() && (status.mode & 0o022) === 0) return;
  throw new RmkError(
    'RMK_ERR_COMPILER',
    `${path} belongs to, or can be written by, somebody else: remove it, or set XDG_CACHE_HOME to a folder of your own`,
  );
}
