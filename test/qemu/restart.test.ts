import { QemuHypervisor } from '@rmk/hypervisor-qemu';
import { expect, it, onTestFinished } from 'vitest';
import { describeLinux } from '../../packages/hypervisor-qemu/test/linuxPresent.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';

const SOON = { timeout: 30_000, interval: 20 };

describeLinux('Linux in QEMU', ({ kernel, initrd, append, readyText }) => {
  it('shows all of its boot, and boots again by a restart, which is no failure of it', async () => {
    const hypervisor = new QemuHypervisor({ folder: await temporaryFolder('/dev/shm'), control: 'none' });
    onTestFinished(() => hypervisor.close());
    const decoder = new TextDecoder();
    let console = '';
    const signals: string[] = [];
    const machine = await hypervisor.startMachine(
      // The kernel speaks before it is unpacked.
      { name: 'linux', kernel, initrd, append: `${append} earlyprintk=ttyS0` },
      (vm) => {
        vm.observe('output', ({ data }) => void (console += decoder.decode(data, { stream: true })));
        vm.observe('signal', ({ cause }) => void signals.push(cause));
      },
    );
    const boots = (): number => console.split(readyText).length - 1;
    await expect.poll(boots, SOON).toBe(1);
    expect(console).toContain('KASLR disabled');
    await machine.restart();
    await expect.poll(boots, SOON).toBe(2);
    expect(signals).toEqual([]);
  });
});
