import { describe, expect, it } from 'vitest';
import { planRun } from '../src/config/runPlan.js';
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

  it('reports memory that is no whole number of MiB, by its own key', async () => {
    const said = await problemsOf(
      { guests: [{ name: 'linux', memory: '4097KiB', qemu: booted }] },
      { vmlinuz: '', initrd: '' },
    );
    expect(said).toContain('guests[0].memory: expected whole MiB');
  });

  describe('whose list of plugins names the preset', () => {
    const preset = { plugin: '@rmk/preset-microcheckpoint', options: { interval: '40ms' } };
    const linux = (name: string, own: object = {}, heartbeat?: string) => {
      const channels = heartbeat === undefined ? {} : { channels: [heartbeat], heartbeat };
      return { name, qemu: { ...booted, ...channels }, ...own };
    };
    const files = { vmlinuz: '', initrd: '' };
    const pluginsOf = async (config: object) => {
      const { guests, hypervisor } = await planRun(configIn('rmk.config.json', config, files));
      await hypervisor.close();
      return guests.map(({ plugins }) =>
        plugins.map(({ definition, options }) => ({ name: definition.name, options })),
      );
    };

    it('has what `protect` makes of the same options, in a list of its own and in that of all guests', async () => {
      const protect = await pluginsOf({ guests: [linux('a', { protect: preset.options }, 'pulse')] });
      expect(protect[0]).toContainEqual({
        name: '@rmk/hang-detector',
        options: { signs: ['page-written'], threshold: '500ms' },
      });
      expect(protect[0]?.at(-1)?.name).toBe('@rmk/heartbeat-detector');
      expect(await pluginsOf({ guests: [linux('a', { plugins: [preset] }, 'pulse')] })).toEqual(protect);
      expect(await pluginsOf({ guests: [linux('a', {}, 'pulse')], plugins: [preset] })).toEqual(protect);
    });

    it('is refused for guests with different heartbeats', async () => {
      const guests = [linux('a', {}, 'pulse'), linux('b')];
      expect(await problemsOf({ guests, plugins: [preset] }, files)).toContain(
        'plugins: the guests differ in their heartbeat. Give each guest a list of plugins of its own.',
      );
    });

    it('has its options checked', async () => {
      const plugins = [{ ...preset, options: 'cowb' }];
      expect(await problemsOf({ guests: [linux('a', { plugins })] }, files)).toContain(
        '@rmk/preset-microcheckpoint failed: options: ',
      );
    });
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
