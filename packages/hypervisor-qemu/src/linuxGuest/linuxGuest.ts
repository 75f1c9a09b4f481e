import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RmkError } from '@rmk/core';
import { download, guestPackages, type GuestPackages } from './debianPackages.js';
import { guestDescription, type GuestDescription } from './guestDescription.js';
import { buildGuestImage, sourcesDigest } from './guestImage.js';
import {
  commandNeed,
  commandPath,
  installMissing,
  updateLists,
  type HostNeed,
  type SetUp,
} from './hostPackages.js';
import { cacheFolder, privateFolder } from '../process/privateCache.js';
import { runTool } from './toolCommand.js';

/** The demo guest: Debian's cloud kernel with busybox, perl, openssl, a web server, and a module that makes it fail. */
export interface LinuxGuest extends GuestDescription {
  readonly kernel: string;
  readonly initrd: string;
  /** The kernel's command line. */
  readonly append: string;
  /** Name of the virtio-serial port that it beats on. */
  readonly heartbeatPort: string;
  /** What the serial line shows once it takes commands. */
  readonly readyText: string;
}

export interface LinuxGuestOptions extends Partial<SetUp> {
  /** Where built guests are kept. Default: `~/.cache/rmk`. */
  readonly cache?: string;
  /** Builds a new guest if Debian has newer packages, although one is in the cache. */
  readonly newest?: boolean;
}

/** Boots in seconds without acceleration: omits what takes long there, or needs missing devices. */
const APPEND = [
  'console=ttyS0 quiet 8250.nr_uarts=1',
  'tsc=reliable no_timer_check lpj=4000000',
  'nokaslr mitigations=off audit=0 selinux=0 apparmor=0 cryptomgr.notests',
  'rcupdate.rcu_expedited=1 random.trust_cpu=on nmi_watchdog=0',
  // A panic stays where it is, and an oops becomes one.
  'panic=0 oops=panic',
].join(' ');

const KEY_LENGTH = 16;

/**
 * The demo guest, from the cache or built. Throws RMK_ERR_PLATFORM on a host that cannot build it, RMK_ERR_NOTINSTALLED
 * if a tool is missing and may not be installed, and RMK_ERR_PACKAGE if apt cannot provide a package.
 */
export async function linuxGuest(options: LinuxGuestOptions = {}): Promise<LinuxGuest> {
  const { cache = cacheFolder(), newest = false, install = false, progress = () => {} } = options;
  const found = newest ? undefined : await findLinuxGuest(cache);
  return found ?? build(cache, { install, progress });
}

/** The newest guest in the cache that was built from the present sources. */
export async function findLinuxGuest(cache: string = cacheFolder()): Promise<LinuxGuest | undefined> {
  const folder = join(cache, 'linux-guest');
  const sources = await sourcesDigest();
  const names = await readdir(folder).catch(() => []);
  const candidates = await Promise.all(names.map((name) => readGuest(join(folder, name))));
  return candidates
    .filter((guest) => guest !== undefined)
    .filter((guest) => guest.sources === sources)
    .toSorted((a, b) => b.builtMs - a.builtMs)[0];
}

async function build(cache: string, setUp: SetUp): Promise<LinuxGuest> {
  if (commandPath('apt-get') === undefined || commandPath('dpkg-deb') === undefined) {
    throw new RmkError(
      'RMK_ERR_PLATFORM',
      'the demo guest is built from Debian packages, but this system has no apt-get. On another system pass a kernel and an initrd of your own.',
    );
  }
  const architecture = (await runTool('dpkg', ['--print-architecture'])).toString().trim();
  if (architecture !== 'amd64') {
    throw new RmkError(
      'RMK_ERR_PLATFORM',
      `the demo guest can only be built on amd64, but this host is ${architecture}. Pass a kernel and an initrd of your own.`,
    );
  }
  const folder = await privateFolder(join(await privateFolder(cache), 'linux-guest'));
  const { packages, files } = await getPackages(join(cache, 'debian-packages'), setUp).catch(
    async (error: unknown) => {
      // Lists that are too old name packages that Debian's servers have no more.
      if (!(await updateLists(setUp))) throw error;
      return getPackages(join(cache, 'debian-packages'), setUp);
    },
  );
  const sources = await sourcesDigest();
  const key = createHash('sha256')
    .update(JSON.stringify([sources, packages]))
    .digest('hex')
    .slice(0, KEY_LENGTH);
  const finished = join(folder, key);
  const present = await readGuest(finished);
  if (present !== undefined) return present;
  const building = await mkdtemp(join(folder, '.building-'));
  try {
    await buildGuestImage(building, { packages, files, sources }, setUp.progress);
    await rm(join(building, 'work'), { recursive: true });
    await rename(building, finished).catch(async (error: unknown) => {
      if ((await readGuest(finished)) === undefined) throw error; // Else another process was faster.
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  const built = await readGuest(finished);
  if (built !== undefined) return built;
  throw new RmkError('RMK_ERR_STATE', `the demo guest was built and cannot be read; remove ${finished}`);
}

async function getPackages(
  folder: string,
  setUp: SetUp,
): Promise<{ packages: GuestPackages; files: readonly string[] }> {
  const packages = await guestPackages(setUp);
  await installMissing(buildNeeds(packages), setUp);
  return { packages, files: await download(packages.all, folder, setUp.progress) };
}

function buildNeeds({ compiler }: GuestPackages): readonly HostNeed[] {
  return [
    commandNeed(compiler, compiler),
    commandNeed('make', 'make'),
    commandNeed('readelf', 'binutils'),
    { what: 'the static C library', debianPackage: 'libc6-dev', present: () => hasStaticLibrary(compiler) },
  ];
}

async function hasStaticLibrary(compiler: string): Promise<boolean> {
  const path = await runTool(compiler, ['-print-file-name=libc.a']).catch(() => '');
  return path.includes('/');
}

async function readGuest(folder: string): Promise<(LinuxGuest & { readonly builtMs: number }) | undefined> {
  try {
    const text = await readFile(join(folder, 'guest.json'), 'utf8');
    const description = guestDescription.parse(JSON.parse(text));
    const [kernel, initrd] = [join(folder, 'vmlinuz'), join(folder, 'initramfs.cpio')];
    const { mtimeMs } = await stat(kernel);
    await stat(initrd);
    return {
      ...description,
      kernel,
      initrd,
      append: APPEND,
      heartbeatPort: 'heartbeat',
      readyText: 'rmk-guest ready',
      builtMs: mtimeMs,
    };
  } catch {
    return undefined; // Half a guest, or another version's: it is built again.
  }
}
