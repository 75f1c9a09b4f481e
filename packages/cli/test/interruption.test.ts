import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { configIn } from './rmk.js';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `rmk` as users start it, from what was built. */
function startRmk(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [pathOf('../bin/rmk.js'), ...args], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function listen(child: ChildProcess): { out: string; err: string } {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => (said.out += String(chunk)));
  child.stderr?.on('data', (chunk) => (said.err += String(chunk)));
  return said;
}

async function until(holds: () => boolean, child: ChildProcess): Promise<void> {
  while (!holds()) {
    if (child.exitCode !== null) throw new Error(`rmk ended with ${child.exitCode} meanwhile`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const endless = {
  guests: [{ name: 'tasks', guest: 'tasks' }],
  hypervisor: { pace: 'wall-clock' },
};

describe('a user who wants rmk run to stop', () => {
  beforeAll(() => {
    spawnSync(process.execPath, [pathOf('../../../node_modules/typescript/bin/tsc'), '-b', pathOf('..')]);
  }, 120_000);

  it.each(['SIGINT', 'SIGTERM'] as const)('gets an orderly end and a summary with %s', async (signal) => {
    const child = startRmk('run', configIn('rmk.json', endless), '--json');
    const said = listen(child);
    await until(() => said.out.includes('EVT_CHECKPOINTED'), child);
    child.kill(signal);
    const [code] = await once(child, 'exit');
    expect({ code, err: said.err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(said.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      event: 'summary',
      exitCode: 0,
      endedBy: 'interruption',
      guests: [{ guest: 'tasks', ending: 'running' }],
    });
  });

  it('quits at once with a second Ctrl-C, also where a plugin never stops', async () => {
    const stubborn = `
      import { definePlugin } from '@rmk/core';
      class Stubborn {
        stop(): Promise<void> {
          console.error('stopping');
          return new Promise((resolve) => setTimeout(resolve, 600_000));
        }
      }
      const stubborn = definePlugin({ name: 'stubborn', version: '1.0.0', rmk: '^0.2.0', modules: [Stubborn] });
      export default {
        guests: [{ name: 'tasks', guest: 'tasks', plugins: [stubborn()] }],
        hypervisor: { pace: 'wall-clock' },
      };`;
    const child = startRmk('run', configIn('rmk.config.ts', stubborn));
    const said = listen(child);
    await until(() => said.out.includes('tasks │'), child);
    child.kill('SIGINT');
    await until(() => said.err.includes('stopping'), child);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([null, 'SIGINT']);
  });
});

/** A config with one plugin whose `start` has this body. */
function starting(body: string): string {
  return `
    import { CLOCK, definePlugin, type Clock } from '@rmk/core';
    import { inject, injectable } from 'tsyringe';
    @injectable()
    class Odd {
      constructor(@inject(CLOCK) private readonly clock: Clock) {}
      start(): void { ${body} }
    }
    const odd = definePlugin({ name: 'rmk-plugin-odd', version: '1.0.0', rmk: '^0.2.0', modules: [Odd] });
    export default {
      guests: [{ name: 'tasks', guest: 'tasks', plugins: [odd()] }],
      supervision: { handlerBudget: '5ms' },
      timeouts: { stop: '1s' },
      until: '20ms',
    };`;
}

describe('the process of rmk run', () => {
  it('ends after the summary although a plugin left a timer of Node behind', async () => {
    const child = startRmk('run', configIn('rmk.config.ts', starting('setInterval(() => {}, 1000);')));
    const said = listen(child);
    const [code] = await once(child, 'exit');
    expect({ code, err: said.err }).toEqual({ code: 0, err: '' });
    expect(said.out).toContain('Time limit reached.');
  });

  it('stays while a handler that never settles holds the guest, and says which', async () => {
    const never = 'this.clock.after(10e6, () => new Promise(() => {}));';
    const child = startRmk('run', configIn('rmk.config.ts', starting(never)));
    const said = listen(child);
    await until(() => said.out.includes('rmk-plugin-odd holds the guest: timer pending for '), child);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(said.out).toMatch(/Stopped on request\.[^]*RMK_ERR_TIMEOUT: rmk-plugin-odd: /);
  });
});
