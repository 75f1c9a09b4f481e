import { readFile } from 'node:fs/promises';
import { GUEST_JOBS, type GuestFault } from '@rmk/hypervisor-qemu';
import { expect, it } from 'vitest';
import { describeLinux } from './linuxPresent.js';
import { bootPlainLinux } from './plainLinux.js';

const SOON = { timeout: 20_000, interval: 20 };

describeLinux('The demo guest in a QEMU without RMK', (guest) => {
  it('gives the known answers, beats, serves pages, and has nothing in its log', async () => {
    const { shell, jobs, heartbeatFile } = await bootPlainLinux(guest);
    for (const job of GUEST_JOBS) await shell.run(`job ${job} 2`);
    const expected = GUEST_JOBS.flatMap((job) =>
      [1, 2].map((round) => ({ job, round, answer: guest.answers[job] })),
    );
    expect(jobs).toEqual(expected);
    expect(await shell.jobsDone()).toEqual(expected);
    const beats = async (): Promise<number> => (await readFile(heartbeatFile, 'utf8')).split('\n').length;
    const before = await beats();
    await expect.poll(beats, SOON).toBeGreaterThan(before + 5);
    expect((await shell.run("dmesg | grep -E 'Oops|BUG|Call Trace|lockup'")).exitCode).toBe(1);
    expect((await shell.run('uname -r')).output.trim()).toBe(guest.kernelRelease);
    expect(await shell.run('no-such-command 2>/dev/null')).toMatchObject({ exitCode: 127 });
  });

  it.each<[GuestFault, string]>([
    ['panic', 'GUEST_PANICKED'],
    ['oops', 'GUEST_PANICKED'],
    ['bug', 'GUEST_PANICKED'],
    ['triple-fault', 'RESET'],
  ])('fails on demand: %s, and QEMU reports %s', async (fault, event) => {
    const { shell, qmp } = await bootPlainLinux(guest);
    const events: string[] = [];
    qmp.onEvent(({ event: name }) => events.push(name));
    await shell.fail(fault);
    await expect.poll(() => events, SOON).toContain(event);
  });

  it.each<GuestFault>(['hang', 'spin', 'halt'])(
    'fails on demand: %s, and the heartbeat ends',
    async (fault) => {
      const { shell, heartbeatFile } = await bootPlainLinux(guest);
      const beats = (): Promise<string> => readFile(heartbeatFile, 'utf8');
      await expect.poll(beats, SOON).not.toBe('');
      await shell.fail(fault);
      await expect(shell.run('true', 2000)).rejects.toThrow('did not end');
      const last = await beats();
      // A heartbeat that only paused would go on meanwhile.
      await expect(shell.run('true', 2000)).rejects.toThrow('did not end');
      expect(await beats()).toBe(last);
    },
  );
});
