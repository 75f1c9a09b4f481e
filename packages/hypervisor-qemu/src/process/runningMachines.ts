import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasCode } from '@rmk/core';
import { QmpClient } from '../qmp/qmpClient.js';
import { checkPrivate, defaultMachinesFolder, machineFiles } from './machineFolder.js';
import { processMentioning, processStart } from './processStatus.js';
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
  /** Whether its `state.json` does not describe the QEMU that runs: RMK can only end it. */
  readonly isDamaged: boolean;
  /** The process of RMK that protects it. Undefined if none does: RMK can attach to it. */
  readonly owner?: number;
  /** Device whose bytes are heartbeats. */
  readonly heartbeat?: string;
}

/** The VMs of this user, also those that a process of RMK left behind: attach to those, or end them. */
export async function findMachines(
  parent: string = defaultMachinesFolder(),
): Promise<readonly FoundMachine[]> {
  const found = await Promise.all((await foldersIn(parent)).map(foundIn));
  return found.filter((machine) => machine !== undefined);
}

/**
 * Ends a VM like a power failure, and removes its files. Works also while another process of RMK has it, which then
 * reports that its hypervisor is lost, and for a QEMU that hangs or whose state file is damaged.
 */
export async function endMachine({ folder }: Pick<FoundMachine, 'folder'>): Promise<void> {
  const machine = await foundIn(folder);
  if (machine?.isRunning === true) {
    const { pid } = machine;
    const start = processStart(pid);
    await quit(machineFiles(folder).spareQmp);
    // Whatever the state file says, it is the process that has the RAM of this folder.
    if (start !== undefined) {
      const qemu = { pid, processStart: start };
      if (!(await endedWithin(qemu, QUIT_TIMEOUT_MS))) await kill(qemu);
    }
  }
  await rm(folder, { recursive: true, force: true });
}

/** Removes the folders of VMs whose QEMU has ended without RMK: their RAM takes up memory. */
export async function removeDeadMachines(parent: string = defaultMachinesFolder()): Promise<void> {
  const dead = (await findMachines(parent)).filter(
    ({ isRunning, isDamaged, owner }) => !isRunning && !isDamaged && owner === undefined,
  );
  await Promise.all(dead.map(({ folder }) => rm(folder, { recursive: true, force: true })));
}

async function foundIn(folder: string): Promise<FoundMachine | undefined> {
  const { ram, state: path } = machineFiles(folder);
  const state = await readState(path).catch(() => undefined);
  if (state !== undefined && isAlive(state)) return described(folder, state, state.pid, false);
  const pid = processMentioning(ram);
  if (state !== undefined) return described(folder, state, pid, pid !== undefined);
  const size = await stat(ram).then(
    (about) => about.size,
    () => undefined,
  );
  // A folder that is being made has no RAM and no QEMU yet.
  if (size === undefined || pid === undefined) return undefined;
  const name = basename(folder).replace(/-[^-]*$/, '');
  return { folder, name, pid, memoryBytes: size, isRunning: true, isDamaged: true };
}

function described(
  folder: string,
  state: MachineState,
  running: number | undefined,
  isDamaged: boolean,
): FoundMachine {
  const { name, memoryBytes, heartbeat } = state;
  const owner = ownerOf(state);
  return {
    folder,
    name,
    pid: running ?? state.pid,
    memoryBytes,
    isRunning: running !== undefined,
    isDamaged,
    ...(owner === undefined ? {} : { owner }),
    ...(heartbeat === undefined ? {} : { heartbeat }),
  };
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

async function foldersIn(parent: string): Promise<readonly string[]> {
  try {
    await checkPrivate(parent);
  } catch {
    return [];
  }
  const entries = await readdir(parent, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
}
