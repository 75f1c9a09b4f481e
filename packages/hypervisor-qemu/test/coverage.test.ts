import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ramBlocks } from '../src/control/coverage.js';
import { describeControl, exactly, protectedGuest } from './protectedGuest.js';
import { temporaryFolder } from './temporaryFolder.js';

/** Arguments of QEMU, which may need an empty image of 1 MiB. */
type Devices = (image: string) => readonly string[];

const device =
  (...devices: readonly string[]): Devices =>
  () =>
    devices.flatMap((one) => ['-device', one]);

const withImage =
  (...args: readonly string[]): Devices =>
  (image) =>
    args.map((argument) => argument.replace('IMAGE', image));

const RESTORED: readonly (readonly [what: string, devices: Devices])[] = [
  ['a random number generator', device('virtio-rng-pci')],
  ['a network card', device('e1000')],
  ['a network card behind a bridge', device('pci-bridge,id=b,chassis_nr=1', 'e1000,bus=b,addr=3')],
  ['a USB controller with a tablet', device('usb-ehci,id=usb', 'usb-tablet,bus=usb.0')],
  [
    'an IDE disk',
    withImage('-blockdev', 'driver=file,filename=IMAGE,node-name=disk', '-device', 'ide-hd,drive=disk'),
  ],
];

const REFUSED: readonly (readonly [what: string, devices: Devices, named: string])[] = [
  ['a VGA', device('VGA'), '0000:00:02.0/vga.vram: memory beside the RAM of the guest'],
  ['a virtio VGA', device('virtio-vga'), '0000:00:02.0/vga.vram: memory beside the RAM of the guest'],
  [
    'an NVMe disk',
    withImage(
      '-blockdev',
      'driver=file,filename=IMAGE,node-name=disk',
      '-device',
      'nvme,drive=disk,serial=1',
    ),
    'non-migratable device: 0000:00:02.0/nvme',
  ],
  [
    'shared memory of several VMs',
    () => [
      '-object',
      'memory-backend-ram,id=shared,share=on,size=1M',
      '-device',
      'ivshmem-plain,memdev=shared',
    ],
    'ivshmem-plain: another process or device writes to guest RAM unseen',
  ],
  [
    'memory that grows at run time',
    () => [
      '-m',
      '16M,maxmem=256M',
      '-object',
      'memory-backend-ram,id=more,size=64M',
      '-device',
      'virtio-mem-pci,memdev=more',
    ],
    '0000:00:02.0/more: memory beside the RAM of the guest',
  ],
  [
    'a second module of memory',
    () => [
      '-m',
      '16M,slots=2,maxmem=256M',
      '-object',
      'memory-backend-ram,id=more,size=64M',
      '-device',
      'pc-dimm,memdev=more',
    ],
    'more: memory beside the RAM of the guest',
  ],
  ['a device that saves no state', device('edu'), 'a PCI device at 02.0: QEMU does not save its state'],
];

async function emptyImage(): Promise<string> {
  const path = join(await temporaryFolder(), 'image');
  writeFileSync(path, new Uint8Array(1 << 20));
  return path;
}

for (const kind of ['in-process', 'qmp'] as const) {
  describeControl(kind, `what control ${kind} covers`, () => {
    it.each(RESTORED)('a VM with %s comes back exactly', async (_, devices) => {
      await using vm = await protectedGuest(kind, { arguments: devices(await emptyImage()) });
      const taken = await vm.control.checkpoint();
      await vm.goesOn();
      const back = await vm.control.rollback(taken.state, [taken.log]);
      expect(back.audit).toEqual(exactly(taken));
      await vm.goesOn();
    });

    it.each(REFUSED)('a VM with %s is refused, by name', async (_, devices, named) => {
      const args = devices(await emptyImage());
      await expect(protectedGuest(kind, { arguments: args })).rejects.toThrow(named);
    });
  });
}

describeControl('in-process', 'a balloon', () => {
  it('may be there, since QEMU discards no page of a protected VM', async () => {
    await using vm = await protectedGuest('in-process', {
      arguments: ['-device', 'virtio-balloon-pci,free-page-reporting=on'],
    });
    const taken = await vm.control.checkpoint();
    await vm.goesOn();
    expect((await vm.control.rollback(taken.state, [taken.log])).audit).toEqual(exactly(taken));
  });
});

describeControl('qmp', 'a balloon under control by QMP', () => {
  it('is refused, since nothing keeps QEMU from discarding pages', async () => {
    await expect(protectedGuest('qmp', { arguments: ['-device', 'virtio-balloon-pci'] })).rejects.toThrow(
      'virtio-balloon-pci: discards pages of guest RAM unseen',
    );
  });
});

describe('QEMU’s list of RAM blocks', () => {
  it('is read in the forms of several versions', () => {
    const rows = [
      '              Block Name    PSize              Offset               Used              Total',
      '                     ram    4 KiB  0x0000000000000000 0x0000000004000000 0x0000000004000000',
      '   0000:00:03.0/vga.vram    2 MiB  0x0000000004080000 0x0000000001000000 0x0000000001000000',
      '              Block Name    PSize              Offset               Used              Total                HVA  RO',
      '                 pc.bios    4 KiB  0x0000000004000000 0x0000000000040000 0x0000000000040000 0x00007f0000000000  ro',
    ];
    expect(ramBlocks(rows.join('\r\n'))).toEqual(['ram', '0000:00:03.0/vga.vram', 'pc.bios']);
  });
});
