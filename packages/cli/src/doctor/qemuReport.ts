import { messageOf } from '@rmk/core';
import { commandPath, findLinuxGuest, findMachines, type FoundMachine } from '@rmk/hypervisor-qemu';
import { qemuControlOf } from '../qemuControl.js';
import { QemuRun } from '../run/qemuRun.js';

/** What takes checkpoints of VMs under QEMU on this machine. */
export type QemuTrial =
  | { readonly works: true; readonly control: string; readonly tracker: string; readonly why: string }
  | { readonly works: false; readonly why: string };

export interface QemuReport {
  /** Undefined if QEMU for x86 is not installed. */
  readonly trial?: QemuTrial;
  /** Newest demo guest in the cache. Undefined if none was built. */
  readonly demoGuest?: { readonly kernelRelease: string; readonly kernel: string };
  /** VMs of this user that RMK started, including those it left running. */
  readonly machines: readonly FoundMachine[];
}

const QEMU = 'qemu-system-x86_64';

/** Tries checkpoints on a VM made for that. */
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

/** A VM with nothing to boot is enough to choose a control and run its self-test. */
async function tryQemu(): Promise<QemuTrial> {
  const run = new QemuRun();
  try {
    const { vm } = await run.standIn({ name: 'doctor', channels: [] });
    const { kind, tracker, why } = qemuControlOf(vm);
    return { works: true, control: kind, tracker, why };
  } catch (error) {
    return { works: false, why: messageOf(error) };
  } finally {
    await run.close();
  }
}
