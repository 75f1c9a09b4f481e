import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode, messageOf, RmkError } from '@rmk/core';
import { z } from 'zod';
import {
  checkPrivate,
  checkReadable,
  deviceSocket,
  makeMachineFolder,
  machineFiles,
  type MachineFiles,
} from './machineFolder.js';
import type { CheckedMachineOptions } from '../machineOptions.js';
import { commandLine, processStart } from './processStatus.js';
import { qemuArguments } from './qemuArguments.js';
import { QmpClient } from '../qmp/qmpClient.js';
import { ramBackend } from '../qmp/ramBackend.js';
import { readState, writeState, type MachineState } from './stateFile.js';

/** How much of stderr errors show. */
const TAIL_BYTES = 2000;
/** QEMU serves its sockets once it has allocated all of guest RAM: for each GiB it gets as long again. */
const CONNECT_WITHIN_MS = 20_000;
/** It runs already: if it does not respond, another client is connected. */
const ATTACH_WITHIN_MS = 3000;
const QUIT_WITHIN_MS = 3000;
const POLL_MS = 10;
/** Older versions lack options that RMK starts QEMU with, and are untested. */
const OLDEST = { major: 7, minor: 2 };

/** The QEMU to start, and the library to load into it; without one only control by QMP is possible. */
export interface QemuProgram {
  readonly command: string;
  /** The parent of the VM's folder. */
  readonly folder: string;
  readonly library?: string;
}

/** One QEMU with its QMP connection. It outlives the process of RMK: another one can attach to it. */
export class QemuProcess {
  private constructor(
    readonly state: MachineState,
    readonly qmp: QmpClient,
    /** Undefined for a QEMU started by hand. */
    readonly folder: string | undefined,
    readonly stderrTail: () => string,
  ) {}

  /**
   * Starts QEMU with its VM paused. Throws `RMK_ERR_INPUT` for invalid options, `RMK_ERR_HYPERVISOR` if QEMU is not
   * installed, too old or ends at once, with what it wrote.
   */
  static async start(options: CheckedMachineOptions, program: QemuProgram): Promise<QemuProcess> {
    const { name, memoryBytes, firmware, kernel, initrd, disks } = options;
    const images = disks.map(({ file }, index) => [`disks[${index}].file`, file] as const);
    await checkReadable({ firmware, kernel, initrd, ...Object.fromEntries(images) });
    const devices = ['serial', ...options.channels];
    const files = await makeMachineFolder(program.folder, name, devices, memoryBytes);
    let state: MachineState | undefined;
    try {
      const { pid, ending } = spawned(options, program, files);
      state = {
        version: 1,
        name,
        pid,
        processStart: processStart(pid) ?? '0',
        memoryBytes,
        ram: files.ram,
        qmp: files.qmp,
        gdb: files.gdb,
        stderr: files.stderr,
        resetLog: files.resetLog,
        ...(program.library === undefined ? {} : { library: files.library }),
        devices: Object.fromEntries(devices.map((device) => [device, deviceSocket(files.folder, device)])),
        ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
        owner: thisProcess(),
      };
      await writeState(files.state, state);
      return await QemuProcess.connect(state, files.folder, ending);
    } catch (error) {
      // Without the state file, because writing it may be what failed.
      if (state !== undefined) await kill(state);
      await rm(files.folder, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Attaches to a running QEMU by its folder, or, for one started by hand, by the content that `state.json` would have.
   * Verifies everything. Throws `RMK_ERR_INPUT` if the description is wrong, `RMK_ERR_GONE` if QEMU has ended,
   * `RMK_ERR_STATE` if another process of RMK has the VM, `RMK_ERR_TIMEOUT` if QEMU does not respond.
   */
  static async attach(to: string | MachineState): Promise<QemuProcess> {
    const folder = typeof to === 'string' ? to : undefined;
    if (folder !== undefined) await checkFolder(folder);
    const state = typeof to === 'string' ? await readState(machineFiles(to).state) : to;
    checkAlive(state);
    checkFree(state);
    const { size } = await stat(state.ram).catch((error: unknown) => {
      throw new RmkError('RMK_ERR_INPUT', `the RAM file of the VM is missing: ${messageOf(error)}`);
    });
    if (size !== state.memoryBytes) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `${state.ram} has ${size} bytes, and the RAM of the VM ${state.memoryBytes}: it is not this VM's`,
      );
    }
    const attached = await QemuProcess.connect(state, folder, () => undefined, ATTACH_WITHIN_MS);
    try {
      await attached.recordOwner(thisProcess());
    } catch (error) {
      attached.qmp.close();
      throw error;
    }
    return attached;
  }

  private static async connect(
    state: MachineState,
    folder: string | undefined,
    ending: () => string | undefined,
    timeoutMs: number = Math.round(CONNECT_WITHIN_MS * (1 + state.memoryBytes / 2 ** 30)),
  ): Promise<QemuProcess> {
    const stderrTail = (): string => tailOf(state.stderr);
    const said = (): string => {
      const tail = stderrTail();
      const end = ending() ?? `QEMU (process ${state.pid}) may have ended`;
      return tail === '' ? `${end} and wrote nothing` : `${end} and wrote: ${tail}`;
    };
    let qmp: QmpClient;
    try {
      qmp = await QmpClient.connect(state.qmp, {
        timeoutMs,
        whyLost: said,
        whyNobodyListens: () => (ending() === undefined ? undefined : said()),
      });
    } catch (error) {
      if (!hasCode(error, 'RMK_ERR_GONE')) throw error;
      // The connection is lost a moment before the process is known to have ended.
      if (!isAlive(state)) await wait(POLL_MS);
      throw new RmkError('RMK_ERR_HYPERVISOR', `QEMU did not start: ${said()}`, { cause: error });
    }
    try {
      checkVersion(qmp);
      await checkMachine(qmp, state);
      return new QemuProcess(state, qmp, folder, stderrTail);
    } catch (error) {
      qmp.close();
      throw error;
    }
  }

  /** Ends QEMU, also one that was started by hand, and removes its folder. */
  async end(): Promise<void> {
    const hangs = await this.qmp.execute('quit', {}, QUIT_WITHIN_MS).then(
      () => false,
      (error: unknown) => hasCode(error, 'RMK_ERR_TIMEOUT'),
    );
    this.qmp.close();
    if (hangs || !(await endedWithin(this.state, QUIT_WITHIN_MS))) await kill(this.state);
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  /** Closes the connection only: QEMU runs on, and its folder stays for the next RMK. */
  async leave(): Promise<void> {
    this.qmp.close();
    await this.recordOwner(undefined);
  }

  private async recordOwner(owner: MachineState['owner']): Promise<void> {
    if (this.folder === undefined) return;
    const { owner: _, ...rest } = this.state;
    await writeState(machineFiles(this.folder).state, { ...rest, ...(owner === undefined ? {} : { owner }) });
  }
}

/** The process of RMK that has a VM; undefined if none has, or that one has ended. */
export function ownerOf({ owner }: MachineState): number | undefined {
  return owner !== undefined && isAlive(owner) ? owner.pid : undefined;
}

/** A process, and when it started: another one may have its number later. */
export type StartedProcess = Pick<MachineState, 'pid' | 'processStart'>;

/** Whether the process that a state file names still runs. */
export function isAlive({ pid, processStart: start }: StartedProcess): boolean {
  return processStart(pid) === start;
}

function spawned(
  options: CheckedMachineOptions,
  { command, library }: QemuProgram,
  files: MachineFiles,
): { readonly pid: number; readonly ending: () => string | undefined } {
  const stderr = openSync(files.stderr, 'w', 0o600);
  let child: ChildProcess;
  try {
    const preload =
      library === undefined
        ? {}
        : { LD_PRELOAD: library, RMK_LIBRARY_SOCKET: files.library, RMK_RAM_FILE: files.ram };
    // RAM and sockets are for the user alone, whatever happens to their folder.
    const umask = process.umask(0o077);
    try {
      child = spawn(command, qemuArguments(options, files), {
        // In a group of its own: a signal from the terminal ends RMK, not the guest.
        detached: true,
        stdio: ['ignore', stderr, stderr],
        env: { ...process.env, ...preload },
      });
    } finally {
      process.umask(umask);
    }
  } finally {
    closeSync(stderr);
  }
  let end: string | undefined;
  child.once('error', (error) => (end = messageOf(error)));
  child.once('exit', (code, signal) => (end = `QEMU ended with ${signal ?? code}`));
  child.unref();
  if (child.pid !== undefined) return { pid: child.pid, ending: () => end };
  throw new RmkError(
    'RMK_ERR_HYPERVISOR',
    `${command} cannot be run; on Debian: apt-get install qemu-system-x86`,
  );
}

async function checkFolder(folder: string): Promise<void> {
  await checkPrivate(folder).catch((error: unknown) => {
    if (hasCode(error)) throw error;
    throw new RmkError('RMK_ERR_INPUT', `${folder} contains no VM: ${messageOf(error)}`, { cause: error });
  });
}

function checkAlive(state: MachineState): void {
  if (!isAlive(state)) {
    throw new RmkError(
      'RMK_ERR_GONE',
      `the QEMU of VM ${JSON.stringify(state.name)}, process ${state.pid}, has ended; it wrote: ${tailOf(state.stderr) || 'nothing'}`,
    );
  }
  const mentions = commandLine(state.pid)?.some((argument) => argument.includes(state.ram)) ?? false;
  if (mentions) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `process ${state.pid} was not started with ${state.ram} for its RAM: it is not the QEMU of this VM`,
  );
}

function checkFree(state: MachineState): void {
  const owner = ownerOf(state);
  if (owner === undefined) return;
  throw new RmkError(
    'RMK_ERR_STATE',
    `VM ${JSON.stringify(state.name)} belongs to process ${owner} of RMK. End that process first.`,
  );
}

function thisProcess(): { readonly pid: number; readonly processStart: string } {
  return { pid: process.pid, processStart: processStart(process.pid) ?? '0' };
}

function checkVersion(qmp: QmpClient): void {
  const { major, minor, micro, package: distribution } = qmp.version;
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return;
  throw new RmkError(
    'RMK_ERR_HYPERVISOR',
    `this is QEMU ${major}.${minor}.${micro} (${distribution || 'of no distribution'}); RMK needs ${OLDEST.major}.${OLDEST.minor} or newer`,
  );
}

/** Checks with QEMU itself what RMK relies on. */
async function checkMachine(qmp: QmpClient, state: MachineState): Promise<void> {
  const cpus = await qmp.query('query-cpus-fast', z.array(z.unknown()));
  const ram = await ramBackend(qmp, state.ram);
  const problems = [
    ...(cpus.length === 1 ? [] : [`it has ${cpus.length} vCPUs, and RMK protects VMs with one`]),
    ...(ram === undefined ? [`${state.ram} is not its RAM: start it with a memory-backend-file`] : []),
    ...(ram === undefined || ram.size === state.memoryBytes
      ? []
      : [`its RAM has ${ram.size} bytes, and not ${state.memoryBytes}`]),
    ...(ram === undefined || ram.share ? [] : ['its RAM is private: start it with share=on']),
  ];
  if (problems.length === 0) return;
  throw new RmkError('RMK_ERR_INPUT', `the QEMU of VM ${JSON.stringify(state.name)} cannot be protected`, {
    problems: problems.map((message) => ({ path: '', message })),
  });
}

function tailOf(file: string | undefined): string {
  if (file === undefined) return '';
  try {
    return readFileSync(file, 'utf8').slice(-TAIL_BYTES).trim();
  } catch {
    return '';
  }
}

/** Kills QEMU and waits for its end. Never kills another process that has its number now. */
export async function kill(state: StartedProcess): Promise<void> {
  if (isAlive(state)) process.kill(state.pid, 'SIGKILL');
  await endedWithin(state, QUIT_WITHIN_MS);
}

/** Whether the QEMU of a VM has ended before the timeout. */
export async function endedWithin(state: StartedProcess, timeoutMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + timeoutMs;
  while (isAlive(state)) {
    if (performance.now() > giveUpAt) return false;
    await wait(POLL_MS);
  }
  return true;
}
