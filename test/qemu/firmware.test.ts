import { existsSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { QemuHypervisor } from '@rmk/hypervisor-qemu';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import type { RecoveryRecord } from '@rmk/core';
import { next } from '../../packages/hypervisor-qemu/test/facts.js';
import { describeLinux } from '../../packages/hypervisor-qemu/test/linuxPresent.js';
import { MORTAL_QEMU } from '../../packages/hypervisor-qemu/test/qemuPresent.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';
import { describeIfInstalled } from '../describeIfInstalled.js';

const OVMF = '/usr/share/ovmf/OVMF.fd';
const MISSING_OVMF = existsSync(OVMF) ? undefined : `${OVMF} is missing; on Debian: apt-get install ovmf`;
const SOON = { timeout: 60_000, interval: 20 };

describeIfInstalled('a Q35 with UEFI', MISSING_OVMF, () => {
  describeLinux('and Linux', ({ kernel, initrd, append, readyText }) => {
    it('is rolled back after a panic, and may reboot', { timeout: 180_000 }, async () => {
      const folder = await temporaryFolder('/dev/shm');
      const hypervisor = new QemuHypervisor({ qemu: MORTAL_QEMU, folder });
      onTestFinished(() => hypervisor.close());
      const machine = await hypervisor.startMachine({
        name: 'uefi',
        machine: 'q35',
        firmware: OVMF,
        kernel,
        initrd,
        append,
        ready: { text: readyText, within: '100s' },
      });
      const recoveries: RecoveryRecord[] = [];
      let console = '';
      machine.observe('output', ({ data }) => void (console += new TextDecoder().decode(data)));
      const domain = await createDomain({
        name: 'uefi',
        machine,
        // History for a panic whose output takes long on a busy host.
        plugins: microcheckpoint({ hang: { signs: ['page-written'], threshold: '1s' } }),
        observe: (bus) => void bus.on('EVT_RECOVERED', ({ record }) => void recoveries.push(record)),
      });
      onTestFinished(() => domain.stop());
      const type = (text: string): Promise<void> =>
        machine.input('serial', new TextEncoder().encode(`${text}\n`));
      await expect.poll(() => machine.checkpoints.length, SOON).toBeGreaterThan(20);
      await type('echo panic >/proc/rmk_fault');
      await expect.poll(() => recoveries.length, SOON).toBeGreaterThan(0);
      // A checkpoint from within the panic brings it back, until an older one is reached.
      const answered = async (): Promise<boolean> => {
        await type('echo alive $((6 * 7))');
        return console.includes('alive 42');
      };
      await expect.poll(answered, { timeout: 60_000, interval: 500 }).toBe(true);
      expect(recoveries.map(({ rung }) => rung)).not.toContain('restart');
      const rebooted = next(machine, 'rebooted');
      await type('reboot -f');
      await rebooted;
    });
  });
});
