import { constants } from 'node:fs';
import { access, lstat, mkdir, mkdtemp, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, messageOf, RmkError, type Problem } from '@rmk/core';
import { checkSocketPath } from './unixSocket.js';

/** In memory, so that guest RAM can be a file; emptied by a reboot of the host, which ends the VMs too. */
const SHARED_MEMORY = '/dev/shm';
/** Page tables of tmpfs, streams of device state and the like, besides RAM itself. */
const MARGIN_BYTES = 16 << 20;

/** The files of one VM, all in its own folder. */
export interface MachineFiles {
  readonly folder: string;
  readonly ram: string;
  readonly qmp: string;
  /** A second one, which the library in QEMU uses if RMK dies. */
  readonly spareQmp: string;
  readonly gdb: string;
  readonly library: string;
  readonly stderr: string;
  /** What QEMU logs at each reset of the vCPU. */
  readonly resetLog: string;
  readonly state: string;
}

export function machineFiles(folder: string): MachineFiles {
  return {
    folder,
    ram: join(folder, 'ram'),
    qmp: join(folder, 'qmp'),
    spareQmp: join(folder, 'spare-qmp'),
    gdb: join(folder, 'gdb'),
    library: join(folder, 'library'),
    stderr: join(folder, 'stderr'),
    resetLog: join(folder, 'reset-log'),
    state: join(folder, 'state.json'),
  };
}

/** The socket of a serial device; `serial` is the console. */
export function deviceSocket(folder: string, device: string): string {
  return join(folder, `port-${device}`);
}

/** Default folder for the files of this user's VMs. */
export function defaultMachinesFolder(): string {
  return join(SHARED_MEMORY, `rmk-${process.getuid?.() ?? 'user'}`);
}

/**
 * Creates the folder for a new VM. Throws `RMK_ERR_INPUT` if others can enter it, its paths are too long or space is
 * short.
 */
export async function makeMachineFolder(
  parent: string,
  name: string,
  devices: readonly string[],
  memoryBytes: number,
): Promise<MachineFiles> {
  // Before anything is created: mkdtemp adds as many characters.
  const expected = join(parent, `${name}-xxxxxx`);
  for (const device of devices) checkSocketPath(deviceSocket(expected, device));
  checkSocketPath(machineFiles(expected).library);
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await checkPrivate(parent);
    await checkSpace(parent, memoryBytes);
    return machineFiles(await mkdtemp(join(parent, `${name}-`))); // mode 0700
  } catch (error) {
    if (hasCode(error)) throw error;
    throw new RmkError(
      'RMK_ERR_INPUT',
      `the folder ${parent} for the files of a VM cannot be used: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Throws `RMK_ERR_INPUT` unless only this user owns and enters the folder. */
export async function checkPrivate(folder: string): Promise<void> {
  const about = await lstat(folder);
  const own = process.getuid?.() ?? about.uid;
  if (about.isDirectory() && about.uid === own && (about.mode & 0o077) === 0) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${folder} controls a VM, but others than this user own or can enter it: ` +
      'set its owner and mode (0700), or choose another folder',
  );
}

async function checkSpace(parent: string, memoryBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(parent);
  const free = bavail * bsize;
  const needed = memoryBytes + MARGIN_BYTES;
  if (free >= needed) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${parent} has ${mebibytes(free)} MiB free, and the RAM of the VM takes ${mebibytes(needed)} MiB: ` +
      'free some, enlarge it (mount -o remount,size=…), or give the VM less memory',
  );
}

/** Throws `RMK_ERR_INPUT` with every unreadable file and the option that names it. */
export async function checkReadable(files: Readonly<Record<string, string | undefined>>): Promise<void> {
  const problems: Problem[] = [];
  for (const [option, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      await access(file, constants.R_OK);
    } catch (error) {
      problems.push({ path: option, message: messageOf(error) });
    }
  }
  if (problems.length > 0)
    throw new RmkError('RMK_ERR_INPUT', 'files of the VM cannot be read', { problems });
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / (1 << 20));
}
