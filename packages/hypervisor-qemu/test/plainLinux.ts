import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { GuestShell, QmpClient, type JobRound, type LinuxGuest } from '@rmk/hypervisor-qemu';
import { expect, onTestFinished } from 'vitest';
import { QEMU } from './qemuPresent.js';
import { temporaryFolder } from './temporaryFolder.js';

const BOOT_MS = 60_000;

/** The demo guest in a QEMU without RMK. */
export interface PlainLinux {
  readonly shell: GuestShell;
  readonly qmp: QmpClient;
  /** What came on the serial line so far, and where beats go. */
  readonly serial: () => string;
  readonly heartbeatFile: string;
  readonly jobs: readonly JobRound[];
}

export async function bootPlainLinux(guest: LinuxGuest): Promise<PlainLinux> {
  const folder = await temporaryFolder();
  const heartbeatFile = join(folder, 'heartbeat');
  const qemu = spawn(QEMU, argumentsOf(guest, folder, heartbeatFile), { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void qemu.kill('SIGKILL'));
  const jobs: JobRound[] = [];
  const write = (data: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      qemu.stdin.write(data, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  const shell = new GuestShell(write, (round) => jobs.push(round));
  let serial = '';
  qemu.stdout.on('data', (data: Buffer) => {
    serial += data.toString();
    shell.received(data);
  });
  await expect.poll(() => serial, { timeout: BOOT_MS, interval: 50 }).toContain(guest.readyText);
  const qmp = await QmpClient.connect(join(folder, 'qmp'));
  onTestFinished(() => qmp.close());
  return { shell, qmp, serial: () => serial, heartbeatFile, jobs };
}

function argumentsOf(guest: LinuxGuest, folder: string, heartbeatFile: string): readonly string[] {
  const machine = ['-accel', 'tcg', '-cpu', 'max', '-M', 'pc', '-m', '256'];
  const bare = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-shutdown'];
  const boot = ['-kernel', guest.kernel, '-initrd', guest.initrd, '-append', guest.append];
  const console = ['-serial', 'stdio', '-qmp', `unix:${folder}/qmp,server=on,wait=off`];
  const devices = ['-device', 'pvpanic-pci', '-device', 'virtio-serial-pci,max_ports=2'];
  const beats = ['-chardev', `file,id=beats,path=${heartbeatFile}`];
  const port = ['-device', `virtserialport,chardev=beats,name=${guest.heartbeatPort}`];
  return [...machine, ...bare, ...boot, ...console, ...devices, ...beats, ...port];
}
