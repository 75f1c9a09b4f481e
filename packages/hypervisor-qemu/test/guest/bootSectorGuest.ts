import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QemuMachineOptions } from '@rmk/hypervisor-qemu';

const SOURCE = fileURLToPath(new URL('bootSector.S', import.meta.url));

let folder: string | undefined;
let images = 0;

/** Goes away with the process. */
function imagesFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), 'rmk-boot-sector-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  folder = made;
  return made;
}

type Variant = 'lives' | 'dies';

const assembled = new Map<Variant, Buffer>();

/** The assembled sector; a disk of its own for each VM, since QEMU locks it. */
function bootDisk(variant: Variant): string {
  const image = join(imagesFolder(), `disk-${images++}`);
  const before = assembled.get(variant);
  if (before === undefined) {
    const layout = '-Wl,-e,start,-Ttext,0x7c00,--oformat,binary,--build-id=none';
    const defined = variant === 'dies' ? ['-DDIES'] : [];
    const flags = ['-m32', '-nostdlib', '-static', '-no-pie', ...defined, layout];
    execFileSync('cc', [...flags, '-o', image, SOURCE]);
    // AHCI boots from no smaller disk.
    truncateSync(image, 1 << 20);
    assembled.set(variant, readFileSync(image));
  } else {
    writeFileSync(image, before);
  }
  return image;
}

/** A guest of one sector, see bootSector.S: up within a second, with an interrupt each 10 ms and a dot each 50 ms. */
export function bootSectorGuest(name: string, variant: Variant = 'lives'): QemuMachineOptions {
  return {
    name,
    memoryBytes: 32 << 20,
    disks: [{ file: bootDisk(variant), interface: 'ide' }],
    devices: ['pvpanic'],
    channels: [],
    heartbeat: 'serial',
    ready: { text: 'up', within: '20s' },
  };
}

/** RAM that neither the firmware nor the guest touches. */
export const UNUSED_FRAME = 0x1000;
/** What the guest does at a letter on its serial line. */
export const ORDER = {
  hang: 'H',
  spin: 'S',
  halt: 'D',
  panic: 'P',
  tripleFault: 'T',
  off: 'O',
  sleep: 'R',
  reboot: 'B',
} as const;
