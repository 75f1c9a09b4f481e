import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { ProtectedLinux } from '../../packages/cli/src/qemuDemo/protectedLinux.js';
import { describeLinux } from '../../packages/hypervisor-qemu/test/linuxPresent.js';
import { next } from '../../packages/hypervisor-qemu/test/facts.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';

const SOON = { timeout: 60_000, interval: 20 };
/** Longer than the detectors that `rmk run` installs wait. */
const LONGER_MS = 1500;
const SOME_BEATS = 25;

describeLinux('Linux in QEMU, protected', (guest) => {
  it('reboots and sleeps as it wants, and is protected again', { timeout: 180_000 }, async () => {
    const linux = await ProtectedLinux.start(guest, {
      hypervisor: { folder: await temporaryFolder('/dev/shm') },
    });
    onTestFinished(() => linux.close());
    const { machine, recoveries } = linux;
    let console = '';
    const decoder = new TextDecoder();
    machine.observe('output', ({ device, data }) => {
      if (device === 'serial') console += decoder.decode(data, { stream: true });
    });
    const boots = (): number => console.split(guest.readyText).length - 1;
    const type = (text: string): Promise<void> =>
      machine.input('serial', new TextEncoder().encode(`${text}\n`));
    const beats = async (): Promise<void> => {
      const before = linux.beats;
      await expect.poll(() => linux.beats, SOON).toBeGreaterThan(before + SOME_BEATS);
    };
    const sleeps = async (state: 'mem' | 'freeze'): Promise<void> => {
      const closed = next(machine, 'channel', ({ isOpen }) => !isOpen);
      await type(`echo ${state} >/sys/power/state`);
      await closed;
      await wait(LONGER_MS);
    };

    await beats();
    await type('reboot -f');
    await expect.poll(boots, SOON).toBe(1);
    await beats();
    await sleeps('mem');
    await machine.raise('wakeup');
    await beats();
    expect(recoveries).toEqual([]);
    await type('echo panic >/proc/rmk_fault');
    await expect.poll(() => recoveries, SOON).toMatchObject([{ rung: 'target' }]);
    await beats();
    await sleeps('freeze');
    expect(recoveries).toHaveLength(1);
  });
});
