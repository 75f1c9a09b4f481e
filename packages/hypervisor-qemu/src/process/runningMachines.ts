import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@rmk/core';
import { QmpClient } from '../qmp/qmpClient.js';
import { checkPrivate, defaultMachinesFolder, machineFiles } from './machineFolder.js';
import { endedWithin, isAlive, kill, ownerOf } from './qemuProcess.js';
import { readState, type MachineState } from './stateFile.js';

const QUIT_TIMEOUT_MS = 3000;

/** A VM whose folder exists: owned by a process of RMK, or left behind by one. */
export interface FoundMachine {
  readonly folder: string;
  readonly name: string;
  readonly pid: number;
  readonly memoryBytes: number;
  /** If not, only the folder is left, and its RAM takes up memory: it can be removed. */
  readonly isRunning: boolean;
  /** The process of RMK that protects it. Undefined if none does: RMK can attach to it. */
  readonly owner?: number;
  /** Device whose bytes are signs of life. */
  readonly heartbeat?: string;
}

/** The VMs of this user, also those that a process of RMK left behind: attach to those, or end them. */
export async function findMachines(
  parent: string = defaultMachinesFolder(),
): Promise<readonly FoundMachine[]> {
  return (await statesIn(parent)).map(({ folder, state }) => {
    const { name, pid, memoryBytes, heartbeat } = state;
    const owner = ownerOf(state);
    return {
      folder,
      name,
      pid,
      memoryBytes,
      isRunning: isAlive(state),
      ...(owner === undefined ? {} : { owner }),
      ...(heartbeat === undefined ? {} : { heartbeat }),
    };
  });
}

/**
 * Ends a VM like a power failure, and removes its files. Works also while another process of RMK has it, which then
 * reports that its hypervisor is lost, and for a QEMU that hangs.
 */
export async function endMachine({ folder }: Pick<FoundMachine, 'folder'>): Promise<void> {
  const files = machineFiles(folder);
  const state = await readState(files.state);
  if (isAlive(state)) await quit(files.spareQmp);
  if (!(await endedWithin(state, QUIT_TIMEOUT_MS))) await kill(state);
  await rm(folder, { recursive: true, force: true });
}

/** Removes the folders of VMs whose QEMU has ended without RMK: their RAM takes up memory. */
export async function removeDeadMachines(parent: string = defaultMachinesFolder()): Promise<void> {
  const dead = (await statesIn(parent)).filter(
    ({ state }) => !isAlive(state) && ownerOf(state) === undefined,
  );
  await Promise.all(dead.map(({ folder }) => rm(folder, { recursive: true, force: true })));
}

/** By the second QMP socket: the first is that of the process that has the VM. */
async function quit(spareQmp: string): Promise<void> {
  try {
    const qmp = await QmpClient.connect(spareQmp, { timeoutMs: QUIT_TIMEOUT_MS });
    try {
      await qmp.execute('quit');
    } finally {
      qmp.close();
    }
  } catch (error) {
    // A QEMU that hangs is killed.
    if (!hasCode(error)) throw error;
  }
}

interface MachineFolder {
  readonly folder: string;
  readonly state: MachineState;
}

async function statesIn(parent: string): Promise<readonly MachineFolder[]> {
  try {
    await checkPrivate(parent);
  } catch {
    return [];
  }
  const entries = await readdir(parent, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
  const found = await Promise.all(
    folders.map(async (folder) => {
      const state = await readState(machineFiles(folder).state).catch(() => undefined);
      return state === undefined ? undefined : { folder, state };
    }),
  );
  return found.filter((one) => one !== undefined);
}
