import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RmkError, type Problem } from '@rmk/core';
import { z } from 'zod';
import type { QmpClient } from '../qmp/qmpClient.js';
import { ramBackend } from '../qmp/ramBackend.js';
import type { ControlKind } from './checkpointControl.js';
import type { ControlTarget } from './controlTarget.js';
import { stateDevices } from './stateSections.js';

// What a rollback restores is guest RAM and the device states that QEMU saves. A VM with anything else that its guest,
// a device or another process can change would come back by halves, so it is refused, part by part.

/** A line of `info ramblock`: name, page size with its unit, offset, used and total bytes. */
const RAM_BLOCK = /^\s*(\S+)\s+\d+\s+[KMG]iB\s+0x[\da-f]+\s+0x[\da-f]+/;
/** Memory that the guest cannot write: firmware, option ROMs, and tables that are rebuilt when the guest reads them. */
const READ_ONLY_BLOCK = /^\/rom@|^pc\.(bios|rom)$|\.rom$/;
const FIRMWARE_FLASH = /^system\.flash\d+$/;
const PERIPHERALS = ['/machine/peripheral', '/machine/peripheral-anon'];
const CHILD = /^child<(.+)>$/;
const BALLOON = /^virtio-balloon/;
const OUTSIDE_WRITER = /^(vhost-|vfio-|ivshmem)/;
const OUTSIDE_NETWORK = /^.*type=(vhost-user|vhost-vdpa)/m;
const KERNEL_WRITER = /^\/dev\/(vhost-|vfio\/)/;

const children = z.array(z.object({ name: z.string(), type: z.string() }));
const migration = z.object({ 'blocked-reasons': z.array(z.string()).optional() });
const pciDevice = z.object({
  slot: z.int(),
  function: z.int(),
  qdev_id: z.string(),
  class_info: z.object({ desc: z.string().optional() }),
});
const pciBuses = z.array(
  z.object({
    devices: z.array(
      pciDevice.extend({ pci_bridge: z.object({ devices: z.array(pciDevice).optional() }).optional() }),
    ),
  }),
);

/**
 * Checks, before protection starts, that nothing in the VM escapes a rollback: memory outside of guest RAM, a balloon,
 * writers outside of QEMU, devices that cannot be saved. Throws `RMK_ERR_INPUT` naming each.
 */
export async function checkCoverage(target: ControlTarget, kind: ControlKind): Promise<void> {
  const { qmp, pid } = target;
  const found = await Promise.all([
    unrestoredBlocks(target),
    peripherals(qmp).then((types) => types.flatMap((type) => deviceProblems(type, kind))),
    outsideNetworks(qmp),
    kernelWriters(pid),
    migrationBlockers(qmp),
  ]);
  refuse(found.flat());
}

/**
 * Checks with a saved device state that each PCI device has a part in it: a device without one would keep its state
 * across a rollback. Throws `RMK_ERR_INPUT` naming each that has none.
 */
export async function checkSavedDevices(qmp: QmpClient, stream: Uint8Array): Promise<void> {
  const saved = stateDevices(stream);
  const devices = (await qmp.query('query-pci', pciBuses)).flatMap((bus) =>
    bus.devices.flatMap((device) => [device, ...(device.pci_bridge?.devices ?? [])]),
  );
  refuse(
    devices.flatMap((device): readonly Problem[] => {
      const address = `${device.slot.toString(16).padStart(2, '0')}.${device.function}`;
      // Behind a bridge, the name of the section begins with the addresses of all bridges.
      if (saved.some((name) => name.includes(`:${address}/`))) return [];
      const what = device.qdev_id === '' ? (device.class_info.desc ?? 'a PCI device') : device.qdev_id;
      return [{ path: `${what} at ${address}`, message: 'QEMU does not save its state: remove the device' }];
    }),
  );
}

/** Names of the blocks of memory that QEMU lists, in its order. */
export function ramBlocks(listing: string): readonly string[] {
  return listing.split('\n').flatMap((line) => RAM_BLOCK.exec(line)?.[1] ?? []);
}

async function unrestoredBlocks({ qmp, ramFile }: ControlTarget): Promise<readonly Problem[]> {
  const ram = await ramBackend(qmp, ramFile);
  return ramBlocks(await qmp.humanMonitor('info ramblock'))
    .filter((name) => name !== ram?.id && !READ_ONLY_BLOCK.test(name))
    .map((name) => ({
      path: name,
      message: FIRMWARE_FLASH.test(name)
        ? 'firmware flash that the guest can write, which is not restored: boot without pflash'
        : 'memory beside the RAM of the guest, which is not restored: remove the device that it belongs to',
    }));
}

/** QOM types of the devices that were added to the machine. */
async function peripherals(qmp: QmpClient): Promise<readonly string[]> {
  const lists = await Promise.all(PERIPHERALS.map((path) => qmp.query('qom-list', children, { path })));
  return lists.flat().flatMap(({ type }) => CHILD.exec(type)?.[1] ?? []);
}

function deviceProblems(type: string, kind: ControlKind): readonly Problem[] {
  if (OUTSIDE_WRITER.test(type))
    return [
      { path: type, message: 'another process or device writes to guest RAM unseen: remove the device' },
    ];
  if (BALLOON.test(type) && kind === 'qmp')
    return [
      {
        path: type,
        message: 'discards pages of guest RAM unseen under control by QMP: remove the device',
      },
    ];
  return [];
}

async function outsideNetworks(qmp: QmpClient): Promise<readonly Problem[]> {
  const backend = OUTSIDE_NETWORK.exec(await qmp.humanMonitor('info network'))?.[1];
  if (backend === undefined) return [];
  return [
    {
      path: `netdev ${backend}`,
      message: 'another process writes to guest RAM unseen: use another network backend',
    },
  ];
}

/** Accelerators in the host's kernel that QEMU has open. */
async function kernelWriters(pid: number): Promise<readonly Problem[]> {
  const folder = join('/proc', `${pid}`, 'fd');
  const links = await Promise.all(
    (await readdir(folder).catch(() => [])).map((file) => readlink(join(folder, file)).catch(() => '')),
  );
  return [...new Set(links.filter((link) => KERNEL_WRITER.test(link)))].map((path) => ({
    path,
    message: 'the kernel of the host writes to guest RAM unseen: start QEMU without it (vhost=off)',
  }));
}

async function migrationBlockers(qmp: QmpClient): Promise<readonly Problem[]> {
  const { 'blocked-reasons': reasons = [] } = await qmp.query('query-migrate', migration);
  return reasons.map((reason) => ({
    path: '',
    message: `${reason}: QEMU cannot save the whole state of the VM`,
  }));
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new RmkError('RMK_ERR_INPUT', 'a rollback would restore this VM by halves, so it is not protected', {
    problems,
  });
}
