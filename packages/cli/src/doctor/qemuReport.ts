import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@rmk/core';
import {
  commandPath,
  findLinuxGuest,
  findMachines,
  QEMU_CONTROL,
  QemuHypervisor,
  type FoundMachine,
} from '@rmk/hypervisor-qemu';

/** What takes checkpoints of VMs under QEMU on this machine. */
export type QemuTrial =
  | { readonly works: true; readonly control: string; readonly tracker: string; readonly why: string }
  | { readonly works: false; readonly why: string };

export interface QemuReport {
  /** Absent where QEMU for x86 is not installed. */
  readonly trial?: QemuTrial;
  /** The newest demo guest in the cache; absent where none was built. */
  readonly demoGuest?: { readonly kernelRelease: string; readonly kernel: string };
  /** VMs of this user that RMK has started, or has left behind. */
  readonly machines: readonly FoundMachine[];
}

const QEMU = 'qemu-system-x86_64';
const MEBIBYTE = 2 ** 20;
const TRIAL_MEMORY_BYTES = 16 * MEBIBYTE;
const EMPTY_DISK_BYTES = MEBIBYTE;

/** Tries what there is on a VM that is thrown away. */
export async function qemuReport(): Promise<QemuReport> {
  const [guest, machines] = await Promise.all([findLinuxGuest(), findMachines()]);
  const trial = commandPath(QEMU) === undefined ? undefined : await tryQemu();
  return {
    machines,
    ...(trial === undefined ? {} : { trial }),
    ...(guest === undefined
      ? {}
      : { demoGuest: { kernelRelease: guest.kernelRelease, kernel: guest.kernel } }),
  };
}

/** Firmware that finds nothing to boot is guest enough for the choice of a control and its self-test. */
async function tryQemu(): Promise<QemuTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'rmk-doctor-')); // mode 0700
  const hypervisor = new QemuHypervisor();
  try {
    const file = join(folder, 'empty-disk');
    await writeFile(file, '');
    await truncate(file, EMPTY_DISK_BYTES);
    const machine = await hypervisor.startMachine({
      name: 'doctor',
      memoryBytes: TRIAL_MEMORY_BYTES,
      disks: [{ file }],
      channels: [],
    });
    const { kind, tracker, why } = machine.extension(QEMU_CONTROL) ?? machine;
    return { works: true, control: kind, tracker, why };
  } catch (error) {
    return { works: false, why: messageOf(error) };
  } finally {
    await hypervisor.close();
    await rm(folder, { recursive: true, force: true });
  }
}
