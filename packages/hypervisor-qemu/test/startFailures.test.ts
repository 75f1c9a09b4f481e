import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  QemuHypervisor,
  QmpClient,
  type QemuHypervisorOptions,
  type QemuMachineOptions,
} from '@rmk/hypervisor-qemu';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bootSectorGuest } from './guest/bootSectorGuest.js';
import { describeQemu, QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

/** Nothing of it may be left: neither a process nor a file. */
async function refused(
  settings: QemuHypervisorOptions,
  guest: QemuMachineOptions,
): Promise<{ readonly code: string; readonly message: string }> {
  const folder = settings.folder ?? (await temporaryFolder('/dev/shm'));
  const hypervisor = new QemuHypervisor({ control: 'none', ...settings, folder });
  onTestFinished(() => hypervisor.close());
  const error = await hypervisor.startMachine(guest).then(
    () => new Error('it started'),
    (thrown: Error) => thrown,
  );
  expect(hypervisor.machines).toEqual([]);
  expect(await readdir(folder).catch(() => [])).toEqual([]);
  expect(await processesNaming(folder)).toEqual([]);
  return error as Error & { readonly code: string };
}

/** Command lines of the processes that this folder was given to. */
async function processesNaming(folder: string): Promise<readonly string[]> {
  const processes = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const commands = processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(commands)).filter((command) => command.includes(`${folder}/`));
}

async function executable(text: string): Promise<string> {
  const path = join(await temporaryFolder(), 'qemu');
  await writeFile(path, `#!${process.execPath}\n${text}`);
  await chmod(path, 0o700);
  return path;
}

describe('Starting a VM that cannot be started', () => {
  it('says that QEMU is not installed, and how to get it', async () => {
    const { code, message } = await refused({ qemu: 'qemu-that-is-not' }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_HYPERVISOR');
    expect(message).toContain('apt-get install qemu-system-x86');
  });

  it('says what QEMU said when it ended at once', async () => {
    const qemu = await executable(`process.stderr.write('no such accelerator\\n'); process.exitCode = 3;`);
    const { code, message } = await refused({ qemu }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_HYPERVISOR');
    expect(message).toContain('QEMU ended with 3 and wrote: no such accelerator');
  });

  it('refuses a QEMU that is too old', async () => {
    const qemu = await executable(`
      const path = /unix:([^,]+)/.exec(process.argv[process.argv.indexOf('-qmp') + 1])[1];
      require('node:net').createServer((socket) => {
        socket.on('error', () => {});
        socket.write('{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 5}, "package": ""}}}\\n');
        socket.on('data', (command) => socket.write(JSON.stringify({ return: {}, id: JSON.parse(command).id }) + '\\n'));
      }).listen(path);
      setTimeout(() => process.exit(), 20000);`);
    const { code, message } = await refused({ qemu }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_HYPERVISOR');
    expect(message).toContain('this is QEMU 5.2.0 (of no distribution); RMK needs 7.2 or newer');
  });

  it('refuses a folder whose sockets would have too long a path, before anything is made', async () => {
    const folder = join(await temporaryFolder('/dev/shm'), 'x'.repeat(80));
    const { code, message } = await refused({ folder }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_INPUT');
    expect(message).toContain('choose a folder with a shorter path');
  });

  it('refuses a folder that others can enter', async () => {
    const folder = join(await temporaryFolder('/dev/shm'), 'open');
    await mkdir(folder);
    await chmod(folder, 0o755);
    const { code, message } = await refused({ folder }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_INPUT');
    expect(message).toContain('mode (0700)');
  });

  it('says which files cannot be read', async () => {
    const { code, message } = await refused(
      {},
      { name: 'guest', kernel: '/nowhere/vmlinuz', initrd: '/nowhere/initrd' },
    );
    expect(code).toBe('RMK_ERR_INPUT');
    expect(message).toMatch(/kernel: ENOENT.*\n.*initrd: ENOENT/);
  });
});

describe('The options of a VM', () => {
  const cases: readonly (readonly [what: string, options: object, problem: RegExp])[] = [
    ['nothing to boot from', { name: 'a' }, /kernel: missing, and there is no disk/],
    ['two vCPUs', { name: 'a', kernel: '/k', virtualCpus: 2 }, /virtualCpus: .*one vCPU/],
    [
      'a machine that RMK does not know',
      { ...bootSectorGuest('a'), machine: 'microvm' },
      /machine: expected 'pc' or 'q35'/,
    ],
    ['a name that is a path', { name: '../a', kernel: '/k' }, /name: expected/],
    ['a device that ends its argument', { name: 'a', kernel: '/k', devices: ['x -S'] }, /devices\[0\]/],
    ['a channel twice', { name: 'a', kernel: '/k', channels: ['b', 'b'] }, /channels: expected different/],
    [
      'a heartbeat without a channel',
      { name: 'a', kernel: '/k', heartbeat: 'b' },
      /heartbeat: there is no b/,
    ],
    ['an option that is not', { name: 'a', kernel: '/k', memory: 1 }, /memory/],
    ['an initrd alone', { name: 'a', disks: [{ file: '/d' }], initrd: '/i' }, /initrd: needs a kernel/],
    [
      'a read-only IDE disk',
      { name: 'a', disks: [{ file: '/d', interface: 'ide', readOnly: true }] },
      /disks\[0\]/,
    ],
    ['no options at all', undefined as unknown as object, /options/],
  ];
  it.each(cases)('are refused: %s', async (_, options, problem) => {
    const hypervisor = new QemuHypervisor({ control: 'none' });
    await expect(hypervisor.startMachine(options as QemuMachineOptions)).rejects.toMatchObject({
      code: 'RMK_ERR_INPUT',
      message: expect.stringMatching(problem) as string,
    });
  });
});

describeQemu('Starting a VM that fails on its way up', () => {
  it('says what QEMU said of a kernel that is none', async () => {
    const kernel = join(await temporaryFolder(), 'kernel');
    await writeFile(kernel, 'no kernel'.repeat(1000));
    const { code, message } = await refused({}, { name: 'guest', kernel });
    expect(code).toBe('RMK_ERR_HYPERVISOR');
    expect(message).toMatch(/QEMU .*wrote: .*invalid kernel header/);
  });

  it('shows the last words of a guest that dies before it is up', async () => {
    const { code, message } = await refused({}, bootSectorGuest('guest', 'dies'));
    expect(code).toBe('RMK_ERR_HYPERVISOR');
    expect(message).toContain('did not boot: the guest failed (panic). The last output of serial: dying');
  });

  it('gives up on a guest that does not say that it is up', async () => {
    const ready = { text: 'never', within: '300ms' } as const;
    const { code, message } = await refused({}, { ...bootSectorGuest('guest'), ready });
    expect(code).toBe('RMK_ERR_HYPERVISOR');
    expect(message).toContain('the text "never" did not come from serial within 300ms');
  });

  it('refuses a QEMU with two vCPUs, and lets it run on', async () => {
    const folder = await temporaryFolder('/dev/shm');
    const [ram, qmp, gdb] = [`${folder}/ram`, `${folder}/qmp`, `${folder}/gdb`] as const;
    const args = [
      [
        '-accel',
        'tcg',
        '-M',
        'pc,memory-backend=ram',
        '-m',
        '16',
        '-smp',
        '2',
        '-nodefaults',
        '-display',
        'none',
      ],
      ['-object', `memory-backend-file,id=ram,size=16M,mem-path=${ram},share=on`],
      ['-qmp', `unix:${qmp},server=on,wait=off`, '-gdb', `unix:${gdb},server=on,wait=off`],
    ].flat();
    const child = spawn(QEMU, args, { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    (await QmpClient.connect(qmp)).close();
    const { pid = 0 } = child;
    const fields = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' });
    const processStart = fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    const state = {
      version: 1,
      name: 'two',
      pid,
      processStart,
      memoryBytes: 16 << 20,
      ram,
      qmp,
      gdb,
      devices: {},
    } as const;
    const hypervisor = new QemuHypervisor({ control: 'none' });
    await expect(hypervisor.attachMachine(state)).rejects.toMatchObject({
      code: 'RMK_ERR_INPUT',
      message: expect.stringContaining('it has 2 vCPUs') as string,
    });
    await expect(hypervisor.attachMachine({ ...state, processStart: '1' })).rejects.toMatchObject({
      code: 'RMK_ERR_GONE',
    });
    await expect(hypervisor.attachMachine({ ...state, memoryBytes: 8 << 20 })).rejects.toMatchObject({
      code: 'RMK_ERR_INPUT',
    });
    const again = await QmpClient.connect(qmp);
    expect(await again.execute('query-status')).toMatchObject({ running: true });
    again.close();
  });
});

const canMount = process.getuid?.() === 0 && mounts();

function mounts(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function smallMemory(mebibytes: number, limits = ''): Promise<string> {
  const parent = await temporaryFolder();
  const folder = join(parent, 'shm');
  await mkdir(folder, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700${limits}`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

describe('A state file that cannot be written', () => {
  it.skipIf(!canMount)('ends the QEMU that runs already (needs root, to mount)', async () => {
    const qemu = await executable('setTimeout(() => {}, 20000);');
    // For the mount point, the folder of the VM and its file for stderr.
    const folder = await smallMemory(80, ',nr_inodes=3');
    const { code, message } = await refused({ qemu, folder }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_INPUT');
    expect(message).toContain('the state file of the VM cannot be written: ENOSPC');
  });
});

describeQemu('Shared memory that is short', () => {
  it.skipIf(!canMount)('is found out before QEMU is started (needs root, to mount)', async () => {
    const { code, message } = await refused({ folder: await smallMemory(8) }, bootSectorGuest('guest'));
    expect(code).toBe('RMK_ERR_INPUT');
    expect(message).toContain('has 8 MiB free, and the RAM of the VM takes 48 MiB');
  });

  it.skipIf(!canMount)('is found out where the logs do not fit any more (needs root, to mount)', async () => {
    const folder = await smallMemory(52);
    const { code } = await refused(
      { folder, control: 'in-process', logPages: 8192 },
      bootSectorGuest('guest'),
    );
    expect(code).toBe('RMK_ERR_MEMORY');
  });
});
