import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ExitCode } from '../src/index.js';
import { configIn, folderWith, rmk, wildJumpAt } from './rmk.js';

const config = (): string =>
  configIn(
    'rmk.config.ts',
    `${wildJumpAt('1ms')}
     import { microcheckpoint } from '@rmk/preset-microcheckpoint';
     export default {
       guests: [
         { name: 'tasks', guest: 'tasks', plugins: [wildJump(), ...microcheckpoint({ hang: false })] },
         { name: 'bare', guest: 'tasks', protect: false },
       ],
     };`,
  );

describe('rmk doctor', () => {
  it('says what there is, and fails for nothing that is optional', async () => {
    const { code, out, err } = await rmk(['doctor']);
    expect({ code, err }).toEqual({ code: ExitCode.DONE, err: '' });
    for (const what of [
      'RMK',
      `Node`,
      process.versions.node,
      'QEMU for RISC-V',
      'C compiler',
      'userfaultfd',
    ]) {
      expect(out).toContain(what);
    }
  });

  it('says what is missing, and what it would be needed for', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    try {
      const { code, out } = await rmk(['doctor']);
      expect(code).toBe(ExitCode.DONE);
      expect(out).toContain('no riscv64-unknown-elf-gcc');
      expect(out).toContain('RISC-V compiler is for building guests');
      expect(out).toContain('QEMU for RISC-V is for comparing guests');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('shows in which order the plugins of a config start, and what each depends on', async () => {
    const { code, out } = await rmk(['doctor', config()]);
    expect(code).toBe(ExitCode.DONE);
    expect(out).toMatch(/^tasks: 11 plugins, started in \d+\.\d\d ms$/m);
    expect(out).toMatch(
      /^│ {2}└─ @rmk\/checkpoint 0.2.0 +active +\d+\.\d\d ms\n│ {5}├─ @rmk\/cowp 0.2.0 +active +\d+\.\d\d ms\n│ {5}└─ @rmk\/recovery 0.2.0 +active +\d+\.\d\d ms {2}needs @rmk\/pin-vcpu, @rmk\/checkpoint, @rmk\/restart-watch$/m,
    );
    expect(out).toContain('bare has no plugins: it would run unprotected.');
  });

  it('prints the same as JSON, and nothing else', async () => {
    const { code, out } = await rmk(['doctor', config(), '--json']);
    expect(code).toBe(ExitCode.DONE);
    const report: unknown = JSON.parse(out);
    expect(report).toMatchObject({
      rmk: expect.any(String),
      node: { version: process.versions.node, supported: true },
      tools: expect.arrayContaining([
        expect.objectContaining({ command: 'qemu-system-riscv32', found: expect.any(Boolean) }),
      ]),
      userfaultfd: { usable: expect.any(Boolean), reason: expect.any(String) },
      domains: [{ guest: 'tasks' }, { guest: 'bare', plugins: [] }],
    });
    expect(report).toHaveProperty('domains.0.plugins.1', {
      name: 'rmk-plugin-wild-jump',
      version: '1.0.0',
      state: 'active',
      dependsOn: ['@rmk/pin-vcpu'],
      startedInHostMs: expect.any(Number),
      onFailure: 'abort',
      restarts: 0,
      faults: 0,
      registered: ['timer'],
    });
  });

  it('shows everything else although the plugins of one guest fail to start', async () => {
    const failing = configIn(
      'rmk.json',
      {
        guests: [
          { name: 'broken', guest: 'tasks', plugins: [{ plugin: './broken.js' }] },
          { name: 'sound', guest: 'tasks', plugins: [{ plugin: '@rmk/pin-vcpu' }] },
        ],
      },
      {
        'broken.js': `
          import { definePlugin } from '@rmk/core';
          class Broken { start() { throw new Error('no sensor'); } }
          export default definePlugin({ name: 'rmk-plugin-broken', version: '1.0.0', rmk: '^0.2.0', modules: [Broken] });
        `,
      },
    );
    const { code, out } = await rmk(['doctor', failing]);
    expect(code).toBe(ExitCode.FAILED);
    expect(out).toContain('RISC-V compiler');
    expect(out).toMatch(/^broken fails to start: RMK_ERR_START: .*no sensor/m);
    expect(out).toMatch(/^sound: 1 plugins?, started in /m);
    const { out: json } = await rmk(['doctor', failing, '--json']);
    expect(JSON.parse(json)).toMatchObject({
      domains: [
        { guest: 'broken', plugins: [], problem: expect.stringContaining('no sensor') },
        { guest: 'sound', plugins: [{ name: '@rmk/pin-vcpu' }] },
      ],
    });
  });

  it('stops the plugins of a domain too whose risks it cannot read', async () => {
    const { folder, file } = stoppingConfig();
    const { code, out } = await rmk(['doctor', file]);
    expect(code).toBe(ExitCode.FAILED);
    expect(out).toContain('RMK_ERR_INACTIVE');
    expect(existsSync(join(folder, 'stopped'))).toBe(true);
  });
});

/** One plugin that leaves a file when it is stopped, and one whose checkpoints have failed. */
function stoppingConfig(): { readonly folder: string; readonly file: string } {
  const folder = folderWith({});
  const file = configIn(
    'rmk.config.ts',
    `import { CHECKPOINTS, definePlugin, provide } from '@rmk/core';
     import { writeFileSync } from 'node:fs';
     class Last { stop() { writeFileSync(${JSON.stringify(join(folder, 'stopped'))}, ''); } }
     class Broken { start() { throw new Error('no checkpoints'); } }
     const last = definePlugin({ name: 'rmk-plugin-last', version: '1.0.0', rmk: '*', modules: [Last] });
     const broken = definePlugin({
       name: 'rmk-plugin-broken',
       version: '1.0.0',
       rmk: '*',
       onFailure: 'continue',
       provides: [provide(CHECKPOINTS, Broken)],
     });
     export default { guests: [{ name: 'tasks', guest: 'tasks' }], plugins: () => [last(), broken()] };`,
  );
  return { folder, file };
}
