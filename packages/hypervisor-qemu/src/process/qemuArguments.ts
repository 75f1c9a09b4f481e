import { deviceSocket, type MachineFiles } from './machineFolder.js';
import type { CheckedMachineOptions } from '../machineOptions.js';

/** With the name of a channel behind it, what QEMU calls its device and its socket. */
export const CHANNEL_ID = 'channel-';

/** An option with its value. */
type Option = readonly [option: string, value?: string];

/**
 * The command line of QEMU: without the user's own configuration, RAM in a shared file, only the requested devices.
 * Device state is small, so that saving it is quick: legacy virtio has a sixth of that of modern virtio. With
 * `ioeventfd=off` a request that the guest has just made is part of the device's state.
 */
export function qemuArguments(options: CheckedMachineOptions, files: MachineFiles): readonly string[] {
  const { name, memoryBytes, machine, cpu } = options;
  const ram = {
    'qom-type': 'memory-backend-file',
    id: 'ram',
    size: memoryBytes,
    'mem-path': files.ram,
    share: true,
    prealloc: true,
  };
  const all: readonly Option[] = [
    ['-name', `guest=${name}`],
    ['-accel', 'tcg'],
    ['-cpu', cpu],
    ['-smp', '1'],
    ['-m', `${memoryBytes / (1 << 20)}`],
    ['-M', `${machine},memory-backend=ram,suppress-vmdesc=on,vmport=off,usb=off`],
    ['-object', JSON.stringify(ram)],
    ['-nodefaults'],
    ['-no-user-config'],
    ['-display', 'none'],
    ['-vga', 'none'],
    // The guest's, not the host's: it stops while the VM is paused, and a rollback restores it exactly.
    ['-rtc', 'clock=vm'],
    // RMK resumes it, once every channel is connected.
    ['-S'],
    ['-no-shutdown'],
    ['-global', 'migration.send-configuration=off'],
    ['-qmp', `unix:${escaped(files.qmp)},server=on,wait=off`],
    ['-qmp', `unix:${escaped(files.spareQmp)},server=on,wait=off`],
    // By this log a triple fault differs from a reset that the guest asked for.
    ['-d', 'cpu_reset'],
    ['-D', files.resetLog],
    ['-gdb', `unix:${escaped(files.gdb)},server=on,wait=off`],
    ['-device', 'pvpanic-pci'],
    ...serialOptions(options, files),
    ...bootOptions(options),
    ...options.disks.flatMap((disk, index) => diskOptions(disk, index, machine)),
    ...networkOptions(options),
    ...options.devices.map((device): Option => ['-device', device]),
  ];
  return all.flatMap(([option, value]) => (value === undefined ? [option] : [option, value]));
}

function serialOptions({ channels }: CheckedMachineOptions, { folder }: MachineFiles): readonly Option[] {
  const chardev = (id: string, device: string): Option => [
    '-chardev',
    `socket,id=${id},path=${escaped(deviceSocket(folder, device))},server=on,wait=off`,
  ];
  const console: readonly Option[] = [chardev('console', 'serial'), ['-serial', 'chardev:console']];
  if (channels.length === 0) return console;
  return [
    ...console,
    ['-device', `virtio-serial-pci,ioeventfd=off,disable-modern=on,max_ports=${channels.length + 1}`],
    ...channels.flatMap((channel): readonly Option[] => [
      chardev(`${CHANNEL_ID}${channel}`, channel),
      [
        '-device',
        `virtserialport,id=${CHANNEL_ID}${channel},chardev=${CHANNEL_ID}${channel},name=${channel}`,
      ],
    ]),
  ];
}

function bootOptions({ firmware, kernel, initrd, append }: CheckedMachineOptions): readonly Option[] {
  const all: readonly (readonly [option: string, value: string | undefined])[] = [
    ['-bios', firmware],
    ['-kernel', kernel],
    ['-initrd', initrd],
    ['-append', append],
  ];
  return all.flatMap(([option, value]): readonly Option[] => (value === undefined ? [] : [[option, value]]));
}

function diskOptions(
  disk: CheckedMachineOptions['disks'][number],
  index: number,
  machine: CheckedMachineOptions['machine'],
): readonly Option[] {
  const node = `disk${index}`;
  const blockdev = {
    driver: disk.format,
    'node-name': node,
    'read-only': disk.readOnly,
    file: { driver: 'file', filename: disk.file },
  };
  const device =
    disk.interface === 'ide'
      ? `ide-hd,drive=${node},${machine === 'q35' ? `bus=ide.${index}` : `bus=ide.${index >> 1},unit=${index & 1}`}`
      : `virtio-blk-pci,drive=${node},ioeventfd=off,disable-modern=on`;
  return [
    ['-blockdev', JSON.stringify(blockdev)],
    ['-device', device],
  ];
}

function networkOptions({ network }: CheckedMachineOptions): readonly Option[] {
  if (network === undefined) return [];
  const forwards = network.forwards.map(
    ({ hostPort, guestPort }) => `,hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`,
  );
  return [
    ['-netdev', `user,id=network0${forwards.join('')}`],
    ['-device', 'virtio-net-pci,netdev=network0,romfile=,ioeventfd=off,disable-modern=on'],
  ];
}

/** A comma ends a value in QEMU's options, unless it is doubled. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}
