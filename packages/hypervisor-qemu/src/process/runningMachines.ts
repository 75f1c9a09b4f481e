import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPrivate, defaultMachinesFolder, machineFiles } from './machineFolder.js';
import { isAlive } from './qemuProcess.js';
import { readState } from './stateFile.js';

/** A VM whose folder exists: owned by a process of RMK, or left behind by one. */
export interface FoundMachine {
  readonly folder: string;
  readonly name: string;
  readonly pid: number;
  readonly memoryBytes: number;
  /** If not, only the folder is left, and its RAM takes up memory: it can be removed. */
  readonly isRunning: boolean;
}

/** The VMs of this user, also those that a process of RMK left behind: attach to those, or end them. */
export async function findMachines(
  parent: string = defaultMachinesFolder(),
): Promise<readonly FoundMachine[]> {
  try {
    await checkPrivate(parent);
  } catch {
    return [];
  }
  const entries = await readdir(parent, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
  const found = await Promise.all(folders.map(foundIn));
  return found.filter((machine) => machine !== undefined);
}

async function foundIn(folder: string): Promise<FoundMachine | undefined> {
  const state = await readState(machineFiles(folder).state).catch(() => undefined);
  if (state === undefined) return undefined;
  const { name, pid, memoryBytes } = state;
  return { folder, name, pid, memoryBytes, isRunning: isAlive(state) };
}
