import { chmod, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkMachineOptions, pagesOf } from '../src/machineOptions.js';
import {
  checkPrivate,
  checkReadable,
  makeMachineFolder,
  machineFiles,
} from '../src/process/machineFolder.js';
import { commandLine, processStart, threadActivity } from '../src/process/processStatus.js';
import { qemuArguments } from '../src/process/qemuArguments.js';
import { checkState, readState, writeState, type MachineState } from '../src/process/stateFile.js';
import { checkSocketPath, connectUnix } from '../src/process/unixSocket.js';
import { temporaryFolder } from './temporaryFolder.js';

const state: MachineState = {
  version: 1,
  name: 'web',
  pid: 4711,
  processStart: '123',
  memoryBytes: 1 << 20,
  ram: '/dev/shm/ram',
  qmp: '/dev/shm/qmp',
  gdb: '/dev/shm/gdb',
  devices: { serial: '/dev/shm/serial' },
};

describe('The state file of a VM', () => {
  it('is read as it was written, by its user alone, and never seen unfinished', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'state.json');
    const all = { ...state, library: '/l', stderr: '/e', heartbeat: 'heartbeat' };
    await writeState(path, all);
    expect(await readState(path)).toEqual(all);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it.each<[string, unknown, string]>([
    ['another version', { ...state, version: 2 }, 'version'],
    ['no name', { ...state, name: '' }, 'name'],
    ['the process of init', { ...state, pid: 1 }, 'pid'],
    ['no start', { ...state, processStart: 'soon' }, 'processStart'],
    ['no memory', { ...state, memoryBytes: 0 }, 'memoryBytes'],
    ['a relative path', { ...state, ram: 'ram' }, 'ram'],
    ['a path with a zero byte', { ...state, qmp: '/a\0b' }, 'qmp'],
    ['a device without a path', { ...state, devices: { serial: 'x' } }, 'serial'],
    ['what it does not know', { ...state, more: 1 }, 'more'],
  ])('is refused with what is wrong: %s', (_, value, problem) => {
    expect(() => checkState(value, 'state.json')).toThrow(/^RMK_ERR_INPUT: state\.json/);
    expect(() => checkState(value, 'state.json')).toThrow(problem);
  });

  it('is refused where it is no JSON or missing, by its path', async () => {
    const path = join(await temporaryFolder(), 'state.json');
    await expect(readState(path)).rejects.toMatchObject({ code: 'RMK_ERR_INPUT' });
    await writeFile(path, '{');
    await expect(readState(path)).rejects.toThrow(path);
  });
});

describe('The folder of a VM', () => {
  it('is private, in a private parent, and named after the VM', async () => {
    const parent = join(await temporaryFolder(), 'machines');
    const files = await makeMachineFolder(parent, 'web', ['serial'], 1 << 20);
    expect(files).toEqual(machineFiles(files.folder));
    expect(files.folder).toMatch(/\/machines\/web-.{6}$/);
    for (const folder of [parent, files.folder]) expect((await lstat(folder)).mode & 0o777).toBe(0o700);
  });

  it('is refused where others can enter the parent, or it is no folder', async () => {
    const parent = await temporaryFolder();
    await chmod(parent, 0o750);
    await expect(makeMachineFolder(parent, 'web', ['serial'], 1 << 20)).rejects.toThrow('RMK_ERR_INPUT');
    await chmod(parent, 0o700);
    await checkPrivate(parent);
    await mkdir(join(parent, 'real'), { mode: 0o700 });
    await symlink(join(parent, 'real'), join(parent, 'link'));
    await expect(checkPrivate(join(parent, 'link'))).rejects.toThrow('RMK_ERR_INPUT');
  });

  it('is refused where its RAM and a margin do not fit', async () => {
    const parent = join(await temporaryFolder('/dev/shm'), 'machines');
    await expect(makeMachineFolder(parent, 'web', ['serial'], 2 ** 50)).rejects.toThrow(
      /has \d+ MiB free, and the RAM of the VM takes 1073741840 MiB/,
    );
  });

  it('is refused where a socket in it would have too long a path', async () => {
    const parent = join(await temporaryFolder(), 'x'.repeat(80));
    await expect(makeMachineFolder(parent, 'web', ['serial'], 1 << 20)).rejects.toThrow(
      'the system allows 107',
    );
    await expect(lstat(parent)).rejects.toThrow('ENOENT');
  });
});

describe('Files that the options name', () => {
  it('are all checked, each with its option', async () => {
    const kernel = join(await temporaryFolder(), 'kernel');
    await writeFile(kernel, '');
    await checkReadable({ kernel, initrd: undefined });
    await expect(checkReadable({ kernel, initrd: '/no/initrd', disk: '/no/disk' })).rejects.toThrow(
      /initrd.*ENOENT[^]*disk.*ENOENT/,
    );
  });
});

describe('A unix socket', () => {
  it('has a path of at most 107 bytes, in UTF-8', () => {
    checkSocketPath(`/${'a'.repeat(106)}`);
    expect(() => checkSocketPath(`/${'a'.repeat(107)}`)).toThrow('has 108 bytes, and the system allows 107');
    expect(() => checkSocketPath(`/${'ä'.repeat(54)}`)).toThrow('has 109 bytes');
  });

  it('is waited for until somebody listens', async () => {
    const path = join(await temporaryFolder(), 'socket');
    const connected = connectUnix(path, 5000);
    await wait(30);
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    (await connected).destroy();
  });

  it('is given up after its timeout, or as soon as it is known that nobody will listen', async () => {
    const path = join(await temporaryFolder(), 'socket');
    await expect(connectUnix(path, 20)).rejects.toMatchObject({ code: 'RMK_ERR_TIMEOUT' });
    await expect(connectUnix(path, 60_000, () => 'QEMU ended')).rejects.toThrow('RMK_ERR_GONE: QEMU ended');
  });
});

describe('A process of the host', () => {
  it('is known by its start and its arguments', () => {
    expect(processStart(process.pid)).toMatch(/^\d+$/);
    expect(commandLine(process.pid)?.[0]).toContain('node');
    expect([processStart(2 ** 30), commandLine(2 ** 30)]).toEqual([undefined, undefined]);
  });

  it('has threads that run and sleep', () => {
    const activity = threadActivity(process.pid, process.pid);
    expect(activity?.ranNs).toBeGreaterThan(0);
    expect(activity?.waitedNs).toBeGreaterThanOrEqual(0);
    expect(threadActivity(process.pid, 1)).toBeUndefined();
    expect(threadActivity(2 ** 30, 2 ** 30)).toBeUndefined();
  });
});

describe('The command line of QEMU', () => {
  const files = machineFiles('/m,1');

  function valuesOf(option: string, all: readonly string[]): readonly string[] {
    return all.flatMap((one, index) => (one === option ? [all[index + 1] ?? ''] : []));
  }

  it('has the machine, its RAM in a shared file, and a heartbeat', () => {
    const all = qemuArguments(
      checkMachineOptions({
        name: 'web',
        kernel: '/k',
        initrd: '/i',
        append: 'quiet',
        memoryBytes: 64 << 20,
      }),
      files,
    );
    expect(all.slice(0, 10)).toEqual([
      '-name',
      'guest=web',
      '-accel',
      'tcg',
      '-cpu',
      'max',
      '-smp',
      '1',
      '-m',
      '64',
    ]);
    expect(JSON.parse(valuesOf('-object', all)[0] ?? '')).toEqual({
      'qom-type': 'memory-backend-file',
      id: 'ram',
      size: 64 << 20,
      'mem-path': '/m,1/ram',
      share: true,
      prealloc: true,
    });
    expect(valuesOf('-qmp', all)).toEqual([
      'unix:/m,,1/qmp,server=on,wait=off',
      'unix:/m,,1/spare-qmp,server=on,wait=off',
    ]);
    expect(valuesOf('-kernel', all)).toEqual(['/k']);
    expect(valuesOf('-initrd', all)).toEqual(['/i']);
    expect(valuesOf('-append', all)).toEqual(['quiet']);
    expect(valuesOf('-device', all)).toEqual([
      'pvpanic-pci',
      'virtio-serial-pci,ioeventfd=off,disable-modern=on,max_ports=2',
      'virtserialport,id=channel-heartbeat,chardev=channel-heartbeat,name=heartbeat',
    ]);
    expect(valuesOf('-chardev', all)).toEqual([
      'socket,id=console,path=/m,,1/port-serial,server=on,wait=off',
      'socket,id=channel-heartbeat,path=/m,,1/port-heartbeat,server=on,wait=off',
    ]);
    for (const flag of ['-S', '-no-shutdown', '-nodefaults', '-no-user-config']) expect(all).toContain(flag);
  });

  it('has each IDE disk on a port of its own of a Q35, and the firmware that was asked for', () => {
    const disk = { file: '/d', interface: 'ide' } as const;
    const all = qemuArguments(
      checkMachineOptions({
        name: 'web',
        machine: 'q35',
        firmware: '/f',
        channels: [],
        disks: [disk, disk],
      }),
      files,
    );
    expect(valuesOf('-M', all)[0]).toMatch(/^q35,/);
    expect(valuesOf('-bios', all)).toEqual(['/f']);
    expect(valuesOf('-device', all).slice(1)).toEqual([
      'ide-hd,drive=disk0,bus=ide.0',
      'ide-hd,drive=disk1,bus=ide.1',
    ]);
  });

  it('has disks, network and devices as they were asked for', () => {
    const disk = (interface_: 'ide' | 'virtio', readOnly = false) =>
      ({ file: '/d', interface: interface_, readOnly, format: 'raw' }) as const;
    const all = qemuArguments(
      checkMachineOptions({
        name: 'web',
        channels: [],
        disks: [disk('virtio', true), disk('ide'), disk('ide'), disk('ide')],
        network: { forwards: [{ hostPort: 8080, guestPort: 80 }] },
        devices: ['virtio-rng-pci'],
      }),
      files,
    );
    expect(valuesOf('-blockdev', all).map((one) => JSON.parse(one) as unknown)[0]).toEqual({
      driver: 'raw',
      'node-name': 'disk0',
      'read-only': true,
      file: { driver: 'file', filename: '/d' },
    });
    expect(valuesOf('-device', all)).toEqual([
      'pvpanic-pci',
      'virtio-blk-pci,drive=disk0,ioeventfd=off,disable-modern=on',
      'ide-hd,drive=disk1,bus=ide.0,unit=1',
      'ide-hd,drive=disk2,bus=ide.1,unit=0',
      'ide-hd,drive=disk3,bus=ide.1,unit=1',
      'virtio-net-pci,netdev=network0,romfile=,ioeventfd=off,disable-modern=on',
      'virtio-rng-pci',
    ]);
    expect(valuesOf('-netdev', all)).toEqual(['user,id=network0,hostfwd=tcp:127.0.0.1:8080-:80']);
  });
});

describe('The size of a VM', () => {
  const options = (memoryBytes: number) => ({ name: 'a', kernel: '/k', memoryBytes });

  it('is whole MiB, and counted in pages', () => {
    for (const MiB of [1, 3072, 6144])
      expect(checkMachineOptions(options(MiB * 2 ** 20)).memoryBytes).toBe(MiB * 2 ** 20);
    for (const bytes of [0, (1 << 20) - 1, (1 << 20) + 4096]) {
      expect(() => checkMachineOptions(options(bytes))).toThrow('memoryBytes');
    }
    expect(pagesOf(1 << 20)).toBe(256);
  });
});
