import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { main } from '@rmk/cli';
import { expect, it } from 'vitest';
import { describeLinux } from '../../packages/hypervisor-qemu/test/linuxPresent.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';

interface Line {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** Runs a config with these guests for a while, and gives the event stream and what was said beside it. */
async function run(guest: object): Promise<{ code: number; lines: readonly Line[]; err: string }> {
  const folder = await temporaryFolder();
  const config = join(folder, 'rmk.config.json');
  await writeFile(join(folder, 'disk.img'), new Uint8Array(1 << 20));
  await writeFile(config, JSON.stringify({ guests: [guest], until: '12s' }));
  const said = { out: '', err: '' };
  const code = await main(['run', config, '--json'], {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
  });
  const lines = said.out.trim().split('\n');
  return { code, lines: lines.map((line) => JSON.parse(line) as Line), err: said.err };
}

describeLinux('rmk run with a guest in QEMU', ({ kernel, initrd, append, heartbeatPort }) => {
  it('boots and protects it by the preset, and says what it does not roll back', async () => {
    const { code, lines, err } = await run({
      name: 'linux',
      qemu: { kernel, initrd, append, heartbeat: heartbeatPort, disks: [{ file: 'disk.img' }] },
    });
    expect(code).toBe(0);
    expect(err).toMatch(/^warning: linux: what is written to .*disk\.img is not rolled back/);
    expect(lines[0]).toMatchObject({
      event: 'started',
      guests: [{ guest: 'linux', memoryBytes: 256 << 20 }],
    });
    expect(JSON.stringify(lines[0])).toContain('@rmk/heartbeat-detector');
    expect(lines.filter(({ event }) => event === 'EVT_CHECKPOINTED').length).toBeGreaterThan(2);
    expect(lines.at(-1)).toMatchObject({
      event: 'summary',
      endedBy: 'until',
      guests: [{ guest: 'linux', ending: 'running' }],
    });
  });
});
