import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readGuest } from '@rmk/guests';
import { goldenRun } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ExitCode } from '../src/index.js';
import { ECHO, WAIT } from './boardPrograms.js';
import { configIn, rmk, wildJumpAt } from './rmk.js';

const Line = z.looseObject({ event: z.string() });

/** Each line of a JSON event stream; fails where one is none. */
function linesOf(out: string): readonly z.output<typeof Line>[] {
  expect(out.endsWith('\n')).toBe(true);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => Line.parse(JSON.parse(line)));
}

const CRASH = `${wildJumpAt('475ms')}
import { defineConfig } from '@rmk/cli';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';

export default defineConfig({
  guests: [{ name: 'tasks', guest: 'tasks' }],
  plugins: ({ name }) => (name === 'tasks' ? [...microcheckpoint({ interval: '100ms', signals: { latencyBound: { bound: '100ms', quantile: 0.95 } } }), wildJump()] : []),
  until: '700ms',
  output: { directory: 'output/deep' },
});
`;
/** Back to 300 ms, the newest checkpoint taken at least T_B before the crash. */
const LOST_NS = 175_000_010;

const DIAGNOSTIC = `
import { definePlugin, diagnose } from '@rmk/core';
import { defineConfig } from '@rmk/cli';

class Careless {
  start() {
    diagnose('kernel', 'a log was not written', new Error('disk full'));
  }
}

const careless = definePlugin({ name: 'rmk-plugin-careless', version: '1.0.0', rmk: '^0.2.0', modules: [Careless] });

export default defineConfig({
  guests: [{ name: 'tasks', guest: 'tasks' }],
  plugins: () => [careless()],
  until: '10ms',
});
`;

describe('rmk run', () => {
  it('shows what no event can report, after the first line', async () => {
    const config = configIn('rmk.config.ts', DIAGNOSTIC);
    const { out } = await rmk(['run', config]);
    expect(out).toContain('kernel warning: a log was not written: disk full\n');
    const [first, ...others] = linesOf((await rmk(['run', config, '--json'])).out);
    expect(first).toHaveProperty('event', 'started');
    expect(others.filter(({ event }) => event === 'diagnostic')).toMatchObject([
      { payload: { concern: 'kernel', message: 'a log was not written: disk full' } },
    ]);
  });

  it('protects a guest from a config in TypeScript: a crash is undone, and its output is that of a golden run', async () => {
    const config = configIn('rmk.config.ts', CRASH);
    const { code, out, err } = await rmk(['run', config]);
    expect({ code, err }).toEqual({ code: ExitCode.DONE, err: '' });
    expect(out).toContain('crash detected by @rmk/pin-vmsignal');
    expect(out).toContain('rolled back (rung target) to a checkpoint 175.0 ms old');
    expect(out).toMatch(/tasks │ running .* │ target 1 +│ 175.0 ms/);

    const golden = await goldenRun({ guest: 'tasks' }, 700e6 - LOST_NS);
    const outputIn = (kind: string): string =>
      readFileSync(join(dirname(config), 'output/deep', `tasks.${kind}`), 'utf8');
    expect(outputIn('committed')).toBe(golden.output);
    const [, struck = '0'] = /(\d+) bytes of output struck/.exec(out) ?? [];
    expect(Number(struck)).toBeGreaterThan(0);
    expect(outputIn('wire')).toHaveLength(golden.output.length + Number(struck));
    expect(out).not.toContain('round  1');
  });

  it('protects guests from a config in JSON, with the options of the preset for all and for one', async () => {
    const config = configIn(
      'rmk.config.json',
      {
        guests: [
          { name: 'tasks', elf: './tasks.elf', memory: '32MiB' },
          { name: 'bare', guest: 'compressor', file: 'text.txt', protect: false },
        ],
        protect: { interval: '20ms', retain: 12, algorithm: 'cowb', hang: { threshold: '100ms' } },
        until: '110ms',
      },
      { 'tasks.elf': readGuest('tasks'), 'text.txt': 'to be compressed' },
    );
    const { code, out } = await rmk(['run', config, '--json']);
    expect(code).toBe(ExitCode.DONE);
    const lines = linesOf(out);
    const checkpoints = lines.filter(({ event }) => event === 'EVT_CHECKPOINTED');
    expect(checkpoints.map(({ guest, atNs }) => [guest, atNs])).toEqual(
      [0, 20e6, 40e6, 60e6, 80e6, 100e6].map((atNs) => ['tasks', atNs]),
    );
    expect(checkpoints[1]).toHaveProperty('payload', {
      algorithm: '@rmk/cowb',
      checkpoint: { takenAtNs: 20e6, origin: 'interval' },
      closed: {
        openedAtNs: 0,
        closedAtNs: 20e6,
        pauseHostNs: expect.any(Number),
        updated: expect.any(Number),
        pageFaults: expect.any(Number),
        pagesSaved: expect.any(Number),
        pagesPreSaved: 0,
        preSavedInVain: 0,
      },
    });
  });

  it('takes plugins, ELFs and files as they are from a config in JavaScript', async () => {
    const config = configIn(
      'rmk.config.mjs',
      `import { readGuest } from '@rmk/guests';
       export default {
         guests: [{ name: 'zip', memory: undefined, elf: readGuest('compressor'), file: new TextEncoder().encode('a file'), plugins: [] }],
         until: '50ms',
       };`,
    );
    const { code, out } = await rmk(['run', config]);
    expect(code).toBe(ExitCode.DONE);
    expect(out).toContain('zip ● 32 MiB, without plugins');
    expect(out).toMatch(/zip │ input +6 bytes/);
    expect(out).toContain('Time limit reached.');
    expect(out).toMatch(/zip +│ running +│ 50.0 ms/);
  });

  it('prints each event as a line of JSON, first what started, last the summary', async () => {
    const config = configIn('rmk.config.ts', CRASH.replace(/until: .*\n.*/, "until: '500ms',"));
    const { out } = await rmk(['run', config, '--json']);
    const lines = linesOf(out);
    expect(lines[0]).toMatchObject({
      event: 'started',
      guests: [{ guest: 'tasks', memoryBytes: 32 * 2 ** 20, plugins: expect.arrayContaining(['@rmk/cowp']) }],
    });
    const events = lines.map(({ event }) => event);
    const incident = events.indexOf('EVT_ERRORDETECTED');
    expect(events.slice(incident, incident + 5)).toEqual([
      'EVT_ERRORDETECTED',
      'EVT_VCPUSUSPENDED',
      'EVT_ROLLEDBACK',
      'EVT_VCPURESUMED',
      'EVT_RECOVERED',
    ]);
    expect(lines[incident]).toEqual({
      event: 'EVT_ERRORDETECTED',
      guest: 'tasks',
      atNs: 475_000_010,
      source: '@rmk/pin-vmsignal',
      payload: { kind: 'crash', cause: 'instruction-access-fault in user mode' },
    });
    expect(lines.find(({ event }) => event === 'EVT_VMOUTPUT')).toEqual({
      event: 'EVT_VMOUTPUT',
      guest: 'tasks',
      atNs: expect.any(Number),
      source: 'hypervisor',
      payload: {
        device: 'uart',
        position: 0,
        guestNs: expect.any(Number),
        epoch: 1,
        text: expect.stringMatching(/^tasks: /),
      },
    });
    expect(lines.at(-1)).toEqual({
      event: 'summary',
      exitCode: 0,
      endedBy: 'until',
      problems: [],
      guests: [
        {
          guest: 'tasks',
          ending: 'running',
          domainNs: 500e6,
          guestNs: 500e6 - LOST_NS,
          instructions: expect.any(Number),
          checkpoints: 5,
          pageFaults: expect.any(Number),
          recoveries: { target: 1, older: 0, newer: 0, only: 0, restart: 0 },
          workLostNs: LOST_NS,
          committedBytes: expect.any(Number),
          wireBytes: expect.any(Number),
          pluginFaults: 0,
          faultyPlugins: [],
        },
      ],
    });
  });

  it('fails with a guest that ends with a failure, unprotected, and with one that recovery gave up', async () => {
    const guests = [
      { name: 'bare', elf: 'compressor.elf', protect: false },
      { name: 'protected', elf: 'compressor.elf' },
    ];
    const config = configIn('rmk.json', { guests }, { 'compressor.elf': readGuest('compressor') });
    const { code, out } = await rmk(['run', config]);
    expect(code).toBe(ExitCode.FAILED);
    expect(out).toMatch(/^bare +● .*: switched itself off with exit code 2$/m);
    expect(out).toMatch(/^protected +● .*: restarted \(rung restart\)/m);
    expect(out).toMatch(/^protected +● .*: given up: a restart did not help/m);
    expect(out).toMatch(/│ bare +│ 2 +│/);
    expect(out).toMatch(/│ protected +│ 2, given-up +│/);
  });

  it('feeds the guest what a script of input says, or the config itself', async () => {
    const guests = [
      { name: 'script', elf: 'echo.elf', input: 'requests.txt' },
      {
        name: 'inline',
        elf: 'echo.elf',
        input: [
          { at: '30ms', line: '' },
          { at: '10ms', bytes: [0x68, 0x69] },
        ],
      },
    ];
    const files = {
      'echo.elf': ECHO,
      'requests.txt': '# a request\n10ms text so\n20ms bytes 21\n40ms line  be it\n',
    };
    const config = configIn('rmk.json', { guests, protect: false }, files);
    const { code, out } = await rmk(['run', config, '--json']);
    expect(code).toBe(ExitCode.DONE);
    const texts = linesOf(out).flatMap(({ guest, payload }) => {
      const output = z.object({ text: z.string(), guestNs: z.number() }).safeParse(payload);
      return output.success ? [[guest, output.data.text]] : [];
    });
    const textOf = (name: string): string =>
      texts.flatMap(([guest, text]) => (guest === name ? [text] : [])).join('');
    expect(textOf('script')).toBe('so! be it\n');
    expect(textOf('inline')).toBe('hi\n');
  });

  it('fails with a guest that waits for what cannot come, and gives output that is no text as base64 too', async () => {
    const guests = [{ name: 'wait', elf: 'wait.elf', protect: false }];
    const config = configIn('rmk.json', { guests }, { 'wait.elf': WAIT });
    const { code, out } = await rmk(['run', config, '--json']);
    expect(code).toBe(ExitCode.FAILED);
    const lines = linesOf(out);
    expect(lines.find(({ event }) => event === 'EVT_VMOUTPUT')).toHaveProperty('payload', {
      device: 'uart',
      position: 0,
      guestNs: expect.any(Number),
      epoch: expect.any(Number),
      text: '\uFFFD',
      base64: '/w==',
    });
    expect(lines.at(-1)).toMatchObject({ endedBy: 'guests', guests: [{ ending: 'halted', wireBytes: 1 }] });
  });

  it('does not take a failed attempt to recover for the end of its guest', async () => {
    const config = configIn(
      'rmk.config.ts',
      `import { BUS, CLOCK, definePlugin, type Bus, type Clock } from '@rmk/core';
       import { inject, injectable } from 'tsyringe';
       @injectable()
       class OneTry {
         constructor(@inject(BUS) private readonly bus: Bus, @inject(CLOCK) private readonly clock: Clock) {}
         start(): void {
           this.clock.after(10e6, () => {
             const atNs = this.clock.now();
             const trigger = { kind: 'hang', cause: 'stuck', atNs, detector: 'd', latency: { boundNs: 0 } };
             const failed = { atNs, trigger, attempts: [], reason: 'not this time', givenUp: false };
             this.bus.topic('EVT_RECOVERYFAILED').publish(failed);
           });
         }
       }
       const oneTry = definePlugin({ name: 'rmk-plugin-one-try', version: '1.0.0', rmk: '^0.2.0', modules: [OneTry] });
       export default { guests: [{ name: 'tasks', guest: 'tasks', plugins: [oneTry()] }], until: '50ms', output: 'none' };`,
    );
    const { code, out } = await rmk(['run', config]);
    expect(code).toBe(ExitCode.DONE);
    expect(out).toMatch(/^tasks +● .*: not recovered: not this time/m);
    expect(out).toMatch(/│ tasks +│ running +│/);
  });

  it('reports and counts plugins that fail, while the guest continues', async () => {
    const config = configIn(
      'rmk.config.ts',
      `import { CLOCK, definePlugin, RmkError, type Clock } from '@rmk/core';
       import { inject, injectable } from 'tsyringe';
       @injectable()
       class Faulty {
         constructor(@inject(CLOCK) private readonly clock: Clock) {}
         start(): void {
           this.clock.after(10e6, () => { throw new RmkError('RMK_ERR_STATE', 'not now'); });
           this.clock.after(20e6, () => { throw 'a text'; });
         }
         stop(): void { throw new Error('will not stop'); }
       }
       const faulty = definePlugin({ name: 'rmk-plugin-faulty', version: '1.0.0', rmk: '^0.2.0', modules: [Faulty] });
       export default { guests: [{ name: 'tasks', guest: 'tasks', plugins: [faulty()] }], until: '50ms', output: 'none' };`,
    );
    const { code, out, err } = await rmk(['run', config, '--json']);
    expect(err).toBe('');
    // Whether a plugin is slow depends on the host.
    const lines = linesOf(out).filter(({ event }) => event !== 'EVT_PLUGINSLOW');
    expect(lines.map(({ event }) => event)).toEqual([
      'started',
      // It starts, and is active.
      'EVT_PLUGINCHANGED',
      'EVT_PLUGINCHANGED',
      'EVT_PLUGINFAULT',
      'EVT_PLUGINFAULT',
      'summary',
    ]);
    expect(lines[3]).toMatchObject({
      payload: {
        error: {
          code: 'RMK_ERR_STATE',
          message: 'RMK_ERR_STATE: not now',
          stack: [expect.stringMatching(/rmk\.config\.ts:7:\d+$/)],
        },
      },
    });
    expect(lines[4]).toHaveProperty('payload.error', { message: 'a text' });
    expect(lines[5]).toMatchObject({
      exitCode: ExitCode.FAILED,
      guests: [
        {
          pluginFaults: 2,
          faultyPlugins: [{ plugin: 'rmk-plugin-faulty', faults: 2, isQuarantined: false }],
        },
      ],
      problems: [expect.stringContaining('will not stop')],
    });
    expect(code).toBe(ExitCode.FAILED);
  });

  it('keeps a line with where the guests stand below the others, where a person looks on', async () => {
    const config = configIn('rmk.json', {
      guests: [{ name: 'tasks', guest: 'tasks' }],
      hypervisor: { pace: 'wall-clock' },
      until: '400ms',
    });
    const { out } = await rmk(['run', config], { columns: () => 30 });
    const drawn = out
      .split('\r\u001B[2K')
      .slice(1)
      .map((text) => text.split('\n')[0] ?? '');
    const status = drawn.filter((text) => /^tasks \d/.test(text));
    expect(status.length).toBeGreaterThan(0);
    for (const text of status) {
      expect(text).toMatch(/^tasks \d\.\d\d s, \d/);
      expect(text.length).toBeLessThan(30);
    }
    expect(out).toContain('Time limit reached.');
  });

  it.each([
    ['an unknown option of a plugin', { hang: { treshold: '5ms' } }, /@rmk\/hang-detector.*treshold/s],
    ['a bad value for one', { recovery: { maxRestarts: -1 } }, /@rmk\/recovery.*maxRestarts/s],
  ])('passes on what the kernel says of %s, and says nothing else', async (_, protect, message) => {
    const config = configIn('rmk.json', { guests: [{ name: 'tasks', guest: 'tasks' }], protect });
    const { code, out, err } = await rmk(['run', config, '--json']);
    expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('refuses a directory for the output that cannot be', async () => {
    const config = configIn(
      'rmk.json',
      { guests: [{ name: 'tasks', guest: 'tasks' }], output: { directory: 'taken' } },
      { taken: '' },
    );
    const { code, out, err } = await rmk(['run', config]);
    expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
    expect(err).toContain('output.directory');
    expect(existsSync(join(dirname(config), 'taken', 'tasks.wire'))).toBe(false);
  });

  // There Node's own recursive mkdir never returns.
  it.each(['/proc/rmk', '/proc/rmk/deep'])('refuses %s for the output', async (directory) => {
    const config = configIn('rmk.json', {
      guests: [{ name: 'tasks', guest: 'tasks' }],
      output: { directory },
    });
    const { code, err } = await rmk(['run', config]);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain(`output.directory: ${directory} cannot be made`);
  });
});
