import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_BYTES } from '@rmk/core';
import { QemuHypervisor } from '@rmk/hypervisor-qemu';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryMap } from '../src/run/memoryMap.js';
import { answers } from './facts.js';
import { bootSectorGuest } from './guest/bootSectorGuest.js';
import { describeQemu, MORTAL_QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const GIB = 2 ** 30;
/** Of a pc with 256 MiB and its hole moved to 64 MiB. */
const SPLIT = `
address-space: memory
  0000000000000000-ffffffffffffffff (prio 0, i/o): system
    0000000000000000-0000000003ffffff (prio 0, ram): alias ram-below-4g @ram 0000000000000000-0000000003ffffff
    00000000000a0000-00000000000bffff (prio 1, i/o): alias smram-region @pci 00000000000a0000-00000000000bffff
    0000000100000000-000000010bffffff (prio 0, ram): alias ram-above-4g @ram 0000000004000000-000000000fffffff
address-space: cpu-memory-0
    0000000000000000-0000000003ffffff (prio 0, ram): alias ram-below-4g @ram 0000000000000000-0000000003ffffff
`;

describe('MemoryMap', () => {
  const map = MemoryMap.parse('a', SPLIT, 256 << 20);

  it('finds RAM below and above the hole', () => {
    expect(map.offsetOf(0x1234, 4)).toBe(0x1234);
    expect(map.offsetOf(0x3ff_fffc, 4)).toBe(0x3ff_fffc);
    expect(map.offsetOf(4 * GIB, 8)).toBe(64 << 20);
    expect(map.offsetOf(4 * GIB + (192 << 20) - 4, 4)).toBe((256 << 20) - 4);
  });

  it.each([
    [0x3ff_fffd, 4],
    [64 << 20, 1],
    [4 * GIB - 1, 2],
    [4 * GIB + (192 << 20) - 3, 4],
    [-1, 1],
    [0.5, 1],
    [Number.NaN, 1],
    [0, -1],
  ])('refuses %d with %d bytes, which is no RAM', (address, bytes) => {
    expect(() => map.offsetOf(address, bytes)).toThrow(
      /^RMK_ERR_ADDRESS: .* do not lie in the RAM of VM "a" \(0x0 to 0x3ffffff and 0x100000000 to 0x10bffffff\)/,
    );
  });

  it.each([
    ['lists no RAM', 'address-space: memory\n', '0 of 268435456 bytes'],
    ['lists a part of it', SPLIT.replaceAll(/.*ram-above-4g.*/g, ''), '67108864 of 268435456 bytes'],
  ])('is refused where QEMU %s', (_, listing, found) => {
    expect(() => MemoryMap.parse('a', listing, 256 << 20)).toThrow(
      `RMK_ERR_HYPERVISOR: where the guest of VM "a" sees its RAM is unknown: QEMU lists ${found}`,
    );
  });
});

/** Begins RAM above 4 GiB after 64 MiB, so that the VM needs no more. */
async function qemuWithLowHole(): Promise<string> {
  const path = join(await temporaryFolder(), 'qemu');
  writeFileSync(path, `#!/bin/sh\nexec ${MORTAL_QEMU} "$@" -M max-ram-below-4g=64M\n`, { mode: 0o700 });
  return path;
}

describeQemu('a VM with RAM above 4 GiB', () => {
  it.each(['pc', 'q35'] as const)(
    'is written, checkpointed and rolled back there: %s',
    async (machineType) => {
      const hypervisor = new QemuHypervisor({
        qemu: await qemuWithLowHole(),
        folder: await temporaryFolder('/dev/shm'),
      });
      onTestFinished(() => hypervisor.close());
      const machine = await hypervisor.startMachine({
        ...bootSectorGuest('large'),
        machine: machineType,
        memoryBytes: 128 << 20,
      });
      const above = 4 * GIB + (64 << 20) - PAGE_BYTES;
      await machine.write(above, Uint8Array.of(1, 2, 3));
      const { context, log } = await machine.checkpoint({ preSave: 'none' });
      await machine.write(above, Uint8Array.of(9));
      expect(await machine.read(above, 3)).toEqual(Uint8Array.of(9, 2, 3));
      await machine.suspend();
      const { pagesRestored } = await machine.rollback({ context, logs: [log] }, { preSave: 'none' });
      expect(pagesRestored).toBeGreaterThan(0);
      expect(await machine.read(above, 3)).toEqual(Uint8Array.of(1, 2, 3));
      await machine.resume();
      await answers(machine, 'x');
      await expect(machine.read(64 << 20, 1)).rejects.toMatchObject({ code: 'RMK_ERR_ADDRESS' });
    },
  );
});
