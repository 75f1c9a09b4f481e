import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { RmkError } from '@rmk/core';
import { runTool } from './toolCommand.js';

/** Something that must be on this machine, and the Debian package that brings it. */
export interface HostNeed {
  readonly what: string;
  readonly debianPackage: string;
  readonly present: () => Promise<boolean>;
}

/** Receives a few words about the present step. */
export type Progress = (doing: string) => void;

/** A program on the search path. */
export function commandNeed(command: string, debianPackage: string): HostNeed {
  return { what: command, debianPackage, present: () => Promise.resolve(commandPath(command) !== undefined) };
}

export function commandPath(command: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

export async function missingNeeds(needs: readonly HostNeed[]): Promise<readonly HostNeed[]> {
  const present = await Promise.all(needs.map((need) => need.present()));
  return needs.filter((_, index) => present[index] !== true);
}

/** How something may be made ready on this machine. */
export interface SetUp {
  /** Whether apt may be run to install what is missing, where this process has the rights. */
  readonly install: boolean;
  readonly progress: Progress;
}

/**
 * Installs what is missing through apt where that is allowed; else `RMK_ERR_NOTINSTALLED` with the command to run.
 * Nothing is touched where nothing is missing.
 */
export async function installMissing(
  needs: readonly HostNeed[],
  { install: allowed, progress }: SetUp,
): Promise<void> {
  const missing = await missingNeeds(needs);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))];
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  const whatIsMissing = missing.map(({ what }) => what).join(', ');
  if (commandPath('apt-get') === undefined) {
    throw new RmkError('RMK_ERR_NOTINSTALLED', `not installed: ${whatIsMissing}. On Debian: ${command}`);
  }
  if (!allowed || !isRoot()) {
    throw new RmkError('RMK_ERR_NOTINSTALLED', `not installed: ${whatIsMissing}. Run as root: ${command}`);
  }
  progress(`Installing ${packages.join(', ')}`);
  await install(packages).catch(async () => {
    await updateLists({ install: allowed, progress }); // They may be missing, or too old.
    await install(packages);
  });
  const still = await missingNeeds(missing);
  if (still.length === 0) return;
  throw new RmkError(
    'RMK_ERR_NOTINSTALLED',
    `still missing after \`${command}\`: ${still.map(({ what }) => what).join(', ')}`,
  );
}

/** Gets apt's lists of packages; false where that is not allowed. */
export async function updateLists({ install: allowed, progress }: SetUp): Promise<boolean> {
  if (!allowed || !isRoot()) return false;
  progress('Getting the lists of Debian packages');
  await runTool('apt-get', ['update', '-qq']);
  return true;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function install(packages: readonly string[]): Promise<void> {
  await runTool('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
