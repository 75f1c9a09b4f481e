import { stat } from 'node:fs/promises';
import { machineFiles } from '../src/process/machineFolder.js';
import { QemuHypervisor, QmpClient, type LinuxGuest } from '@rmk/hypervisor-qemu';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { describeLinux } from './linuxPresent.js';
import { MORTAL_QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const MEBIBYTE = 1 << 20;
const MEMORY_BYTES = 256 * MEBIBYTE;
const WITHOUT_BALLOON_BYTES = 192 * MEBIBYTE;
const BLOCK_BYTES = 512;
const SOON = { timeout: 60_000, interval: 50 };

const balloon = z.object({ actual: z.int() });

/** Lets the balloon of a booted Linux take a quarter of its RAM; the bytes of RAM that QEMU discarded by then. */
async function discardedBytes(guest: LinuxGuest, control: 'none' | 'in-process'): Promise<number> {
  const hypervisor = new QemuHypervisor({
    qemu: MORTAL_QEMU,
    folder: await temporaryFolder('/dev/shm'),
    control,
  });
  onTestFinished(() => hypervisor.close());
  const { folder = '' } = await hypervisor.startMachine({
    name: 'linux',
    kernel: guest.kernel,
    initrd: guest.initrd,
    append: guest.append,
    memoryBytes: MEMORY_BYTES,
    devices: ['virtio-balloon-pci'],
    ready: { device: 'serial', text: guest.readyText },
  });
  const { ram, spareQmp } = machineFiles(folder);
  const qmp = await QmpClient.connect(spareQmp);
  onTestFinished(() => qmp.close());
  await qmp.execute('balloon', { value: WITHOUT_BALLOON_BYTES });
  await expect
    .poll(async () => (await qmp.query('query-balloon', balloon)).actual, SOON)
    .toBe(WITHOUT_BALLOON_BYTES);
  return MEMORY_BYTES - (await stat(ram)).blocks * BLOCK_BYTES;
}

describeLinux('a balloon that takes pages of the guest', (guest) => {
  it('discards them in an unprotected VM', { timeout: 120_000 }, async () => {
    expect(await discardedBytes(guest, 'none')).toBe(MEMORY_BYTES - WITHOUT_BALLOON_BYTES);
  });

  it('leaves them in place in a protected one', { timeout: 120_000 }, async () => {
    expect(await discardedBytes(guest, 'in-process')).toBe(0);
  });
});
