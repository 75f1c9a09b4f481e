import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endMachine, findMachines, QemuHypervisor } from '@rmk/hypervisor-qemu';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { rmk, type Said } from '../../packages/cli/test/rmk.js';
import { bootSectorGuest } from '../../packages/hypervisor-qemu/test/guest/bootSectorGuest.js';
import { describeQemu, MORTAL_QEMU } from '../../packages/hypervisor-qemu/test/qemuPresent.js';
import { processStart } from '../../packages/hypervisor-qemu/src/process/processStatus.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SOON = { timeout: 60_000, interval: 20 };

/** A process of `rmk`, as users start it. */
class RmkProcess {
  out = '';
  err = '';

  constructor(readonly child: ChildProcess) {
    child.stdout?.on('data', (data) => (this.out += String(data)));
    child.stderr?.on('data', (data) => (this.err += String(data)));
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  static start(...args: readonly string[]): RmkProcess {
    return new RmkProcess(
      spawn(process.execPath, [pathOf('../../packages/cli/bin/rmk.js'), ...args], { stdio: 'pipe' }),
    );
  }

  /** Waits for an event of the JSON stream. */
  async says(event: string): Promise<void> {
    await expect.poll(() => this.out + this.err, SOON).toContain(`"event":"${event}"`);
  }

  /** The exit code, or the signal that ended it. */
  async ends(): Promise<unknown> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode;
    const [code, signal] = await once(this.child, 'exit');
    return code ?? signal;
  }
}

/** A config with one guest in QEMU, and the folder of its VMs, which end with the test. */
async function service(guest: object = {}): Promise<{ config: string; folder: string }> {
  const folder = join(await temporaryFolder('/dev/shm'), 'vms');
  await mkdir(folder, { mode: 0o700 });
  const { name, memoryBytes: _, ...qemu } = bootSectorGuest('service');
  const config = join(await temporaryFolder(), 'rmk.json');
  const one = { name, memory: '32MiB', qemu: { ...qemu, ...guest } };
  await writeFile(config, JSON.stringify({ guests: [one], qemu: { folder } }));
  onTestFinished(async () => {
    for (const machine of await findMachines(folder)) await endMachine(machine);
  });
  return { config, folder };
}

const said = (...args: readonly string[]): Promise<Said> => rmk(args);

describeQemu('VMs that outlive the process that protects them', () => {
  beforeAll(() => {
    spawnSync(process.execPath, [
      pathOf('../../node_modules/typescript/bin/tsc'),
      '-b',
      pathOf('../../packages/cli'),
    ]);
  }, 120_000);

  it('are listed with who has them, taken over by the next run, and ended by name', async () => {
    const { config, folder } = await service();
    const first = RmkProcess.start('run', config, '--json');
    await first.says('EVT_CHECKPOINTED');
    const [machine] = await findMachines(folder);
    expect(machine).toMatchObject({ name: 'service', isRunning: true, owner: first.child.pid });
    expect(await said('run', config)).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        new RegExp(`^RMK_ERR_STATE: VM "service" belongs to process ${first.child.pid} of RMK\\.`, 'm'),
      ),
    });

    first.child.kill('SIGKILL');
    await first.ends();
    expect((await said('list', '--folder', folder)).out).toMatch(/service .* runs without RMK /);

    const second = RmkProcess.start('run', config, '--json');
    await second.says('EVT_CHECKPOINTED');
    expect(second.out).toContain('"attached":true');
    expect(await findMachines(folder)).toEqual([{ ...machine, owner: second.child.pid }]);

    expect(await said('stop', 'service', '--folder', folder)).toMatchObject({
      code: 0,
      out: 'service: ended\n',
    });
    expect(await second.ends()).toBe(1);
    expect(second.out).toContain('EVT_VMGONE');
    expect(await said('list', '--folder', folder)).toEqual({ code: 0, out: 'No VM runs.\n', err: '' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('run on after rmk attach, which protected them meanwhile', async () => {
    const { config, folder } = await service();
    const first = RmkProcess.start('run', config, '--json');
    await first.says('EVT_CHECKPOINTED');
    first.child.kill('SIGKILL');
    await first.ends();
    const [left] = await findMachines(folder);
    const attached = RmkProcess.start('attach', 'service', '--folder', folder, '--json');
    await attached.says('EVT_CHECKPOINTED');
    attached.child.kill('SIGTERM');
    expect(await attached.ends()).toBe(0);
    expect(await findMachines(folder)).toEqual([left]);
  });

  it('end with the run that is interrupted while they boot', async () => {
    const { config, folder } = await service({ ready: { text: 'never', within: '1h' } });
    const booting = RmkProcess.start('run', config);
    // The console of a booting guest is shown as it comes.
    await expect.poll(() => booting.out, SOON).toContain('up');
    booting.child.kill('SIGINT');
    expect(await booting.ends()).toBe(0);
    expect(booting.out).toContain('Stopped on request.');
    expect(await readdir(folder)).toEqual([]);
  });

  it('are named by a second Ctrl-C, which leaves them', async () => {
    const { config, folder } = await service({ ready: { text: 'never', within: '1h' } });
    const booting = RmkProcess.start('run', config);
    await expect.poll(() => booting.out, SOON).toContain('up');
    booting.child.kill('SIGINT');
    booting.child.kill('SIGINT');
    // Two signals at once can be one; the end in order is right as well then.
    const end = await booting.ends();
    const left = await findMachines(folder);
    if (end === 'SIGINT' && left.length > 0) expect(booting.err).toContain('`rmk stop service` ends it');
    else expect(left).toEqual([]);
  });

  it('leave no folder behind once their QEMU has ended: the next VM removes it', async () => {
    const { config, folder } = await service();
    const run = RmkProcess.start('run', config, '--json');
    await run.says('EVT_CHECKPOINTED');
    const [{ pid } = { pid: 0 }] = await findMachines(folder);
    run.child.kill('SIGKILL');
    await run.ends();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => findMachines(folder), SOON).toMatchObject([{ isRunning: false }]);
    expect((await said('list', '--folder', folder)).out).toContain('ended, folder left');
    const other = new QemuHypervisor({ qemu: MORTAL_QEMU, folder, control: 'none' });
    onTestFinished(() => other.close());
    const { folder: own } = await other.startMachine(bootSectorGuest('other'));
    expect((await readdir(folder)).map((entry) => join(folder, entry))).toEqual([own]);
  });

  it('are one of each name, whoever starts first', async () => {
    const { config, folder } = await service();
    const both = [RmkProcess.start('run', config, '--json'), RmkProcess.start('run', config, '--json')];
    await expect.poll(() => both.map(({ out }) => out.includes('"EVT_CHECKPOINTED"')), SOON).toContain(true);
    const loser = both.find(({ out }) => !out.includes('"EVT_CHECKPOINTED"'));
    expect(await loser?.ends()).toBe(2);
    expect(loser?.err).toMatch(/RMK_ERR_STATE: VM "service" (is being started by|belongs to) process \d+/);
    expect(await findMachines(folder)).toHaveLength(1);
  });

  it.each([
    ['is empty', () => ''],
    ['names another process', (text: string) => text.replace(/"pid": \d+/, `"pid": ${process.pid}`)],
  ])('are found and ended although their state.json %s', async (_, damage) => {
    const { config, folder } = await service();
    const run = RmkProcess.start('run', config, '--json');
    await run.says('EVT_CHECKPOINTED');
    run.child.kill('SIGKILL');
    await run.ends();
    const [{ pid, folder: own } = { pid: 0, folder: '' }] = await findMachines(folder);
    const state = join(own, 'state.json');
    await writeFile(state, damage(await readFile(state, 'utf8')));
    expect((await said('list', '--folder', folder)).out).toContain('runs, state.json damaged');
    expect((await said('run', config)).err).toContain('its state.json is damaged');
    expect(await said('stop', 'service', '--folder', folder)).toMatchObject({ code: 0 });
    expect(processStart(pid)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  it('are refused by a config of another size, and distinguished by their folders', async () => {
    const { config, folder } = await service();
    const hypervisor = new QemuHypervisor({ qemu: MORTAL_QEMU, folder, control: 'none' });
    onTestFinished(() => hypervisor.close());
    const one = await hypervisor.startMachine(bootSectorGuest('service'));
    const { config: larger } = await service();
    const text = await readFile(config, 'utf8');
    await writeFile(larger, text.replace('32MiB', '64MiB'));
    expect((await said('run', larger)).err).toMatch(
      /^RMK_ERR_STATE: VM "service" runs already, with 32 MiB instead of 64 MiB\./m,
    );
    const second = new QemuHypervisor({ qemu: MORTAL_QEMU, folder, control: 'none' });
    onTestFinished(() => second.close());
    await second.startMachine(bootSectorGuest('service'));
    const ambiguous = await said('stop', 'service', '--folder', folder);
    expect(ambiguous.code).toBe(2);
    expect(ambiguous.err).toContain('several VMs have the name "service". Name one by its folder: ');
    expect(await said('stop', 'nobody', '--folder', folder)).toMatchObject({
      code: 2,
      err: 'RMK_ERR_INPUT: VM "nobody" not found. Choose one of service, service.\n',
    });
    const own = (one.folder ?? '').slice(folder.length + 1);
    expect(await said('stop', own, '--folder', folder)).toMatchObject({ code: 0 });
    expect(await findMachines(folder)).toHaveLength(1);
  });
});
