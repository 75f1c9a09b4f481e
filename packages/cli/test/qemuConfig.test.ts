import { describe, expect, it } from 'vitest';
import { ExitCode } from '../src/index.js';
import { configIn, rmk } from './rmk.js';

/** What `rmk run` says of a config that cannot be run. */
async function problemsOf(config: object, beside: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, out, err } = await rmk(['run', configIn('rmk.config.json', config, beside)]);
  expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
  expect(err).toMatch(/^RMK_ERR_INPUT: /);
  return err;
}

const booted = { kernel: 'vmlinuz', initrd: 'initrd' };

describe('A config with a guest in QEMU', () => {
  it('names every file that cannot be read, with its path in the config', async () => {
    const disks = [{ file: 'system.img' }, { file: 'data.qcow2', format: 'qcow2' }];
    const said = await problemsOf(
      { guests: [{ name: 'linux', qemu: { ...booted, disks } }] },
      { initrd: 'content' },
    );
    expect(said).toContain('guests[0].qemu.kernel: ');
    expect(said).toContain('vmlinuz cannot be read (ENOENT');
    expect(said).not.toContain('guests[0].qemu.initrd');
    expect(said).toContain('guests[0].qemu.disks[0].file: ');
    expect(said).toContain('guests[0].qemu.disks[1].file: ');
  });

  it('reports all problems at once: options of the VM, of the hypervisor, and other keys', async () => {
    const said = await problemsOf({
      guests: [
        { name: 'linux', memory: '8GiB', elf: 'program', qemu: { append: 'quiet', kernal: 'vmlinuz' } },
      ],
      qemu: { control: 'fast' },
    });
    expect(said).toContain('guests[0].elf: unknown key');
    expect(said).toContain('qemu.control: ');
  });

  it('has something to boot', async () => {
    const said = await problemsOf({ guests: [{ name: 'linux', qemu: {} }] });
    expect(said).toContain('guests[0].qemu.kernel: missing, and there is no disk to boot from either');
  });

  it('reports a heartbeat without a channel, and too much memory', async () => {
    const said = await problemsOf(
      { guests: [{ name: 'linux', memory: '8GiB', qemu: { ...booted, heartbeat: 'pulse' } }] },
      { vmlinuz: '', initrd: '' },
    );
    expect(said).toContain('guests[0].memory: expected at most 3 GiB');
  });

  it('has no embedded guest beside it', async () => {
    const said = await problemsOf(
      {
        guests: [
          { name: 'tasks', guest: 'tasks' },
          { name: 'linux', qemu: booted },
        ],
      },
      { vmlinuz: '', initrd: '' },
    );
    expect(said).toContain('guests[0]: is embedded, while other guests are in QEMU');
  });
});
