import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../src/index.js';
import { configIn, rmk } from './rmk.js';

interface Line {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

const tasks = { name: 'tasks', guest: 'tasks' };

/** A plugin of an author: publishes an event of its own at 1 ms, and throws in each later timer. */
const METER = `
import { BUS, CLOCK, definePlugin } from '@rmk/core';
import { inject, injectable } from 'tsyringe';

@injectable()
class Meter {
  constructor(@inject(BUS) bus, @inject(CLOCK) clock) {
    this.bus = bus;
    this.clock = clock;
  }

  start() {
    this.clock.after(1e6, () => this.bus.topic('EVT_METERREAD').publish({ atNs: 1e6, reading: 'a\\nb' }));
    this.clock.every(2e6, () => this.fail());
  }

  fail() {
    throw new Error('out of range');
  }
}

export const meter = definePlugin({
  name: 'rmk-plugin-meter',
  version: '1.0.0',
  rmk: '^0.2.0',
  events: ['EVT_METERREAD'],
  modules: [Meter],
});
export const other = () => 5;
`;
const beside = { 'meter.ts': METER };
const metered = { guests: [{ ...tasks, plugins: [{ plugin: './meter.ts' }] }], until: '12ms' };

async function linesOf(config: string): Promise<readonly Line[]> {
  const { out } = await rmk(['run', config, '--json']);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('a config in JSON', () => {
  it('names a plugin by the path of a file beside it', async () => {
    const { code, out } = await rmk(['run', configIn('rmk.json', metered, beside)]);
    expect(code).toBe(ExitCode.DONE);
    expect(out).toContain("EVT_METERREAD from rmk-plugin-meter: { reading: 'a\\nb' }");
  });

  it('names a plugin of RMK by its package, with options, for all guests or for one', async () => {
    const plugins = [{ plugin: '@rmk/pin-vmschl' }, { plugin: '@rmk/pin-vcpu' }];
    const guests = [tasks, { ...tasks, name: 'metered', plugins: [{ plugin: '@rmk/pin-vcpu' }] }];
    const [started] = await linesOf(configIn('rmk.json', { guests, plugins, until: '1ms' }));
    expect(started?.['guests']).toMatchObject([
      { guest: 'tasks', plugins: ['@rmk/pin-vmschl', '@rmk/pin-vcpu'] },
      { guest: 'metered', plugins: ['@rmk/pin-vcpu'] },
    ]);
  });

  it('names the preset, with options, beside plugins of its own', async () => {
    const preset = { plugin: '@rmk/preset-microcheckpoint', options: { algorithm: 'cowb' } };
    const plugins = [preset, { plugin: './meter.ts' }];
    const [started] = await linesOf(configIn('rmk.json', { guests: [tasks], plugins, until: '1ms' }, beside));
    const names = microcheckpoint({ algorithm: 'cowb' }).map(({ definition }) => definition.name);
    expect(started?.['guests']).toMatchObject([
      { plugins: expect.arrayContaining([...names, 'rmk-plugin-meter']) as unknown },
    ]);
  });

  it('reports what a preset rejects, with the path of each option', async () => {
    const options = { interval: 'soon', algoritm: 'cowb' };
    const plugins = [{ plugin: '@rmk/preset-microcheckpoint', options }];
    const { code, err } = await rmk(['run', configIn('rmk.json', { guests: [tasks], plugins })]);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toMatch(
      /plugins\[0\]\.plugin: @rmk\/preset-microcheckpoint failed: .*options\.interval: expected/,
    );
    expect(err).toContain('options: unknown: algoritm. Choose among interval, ');
  });

  it('takes a plugin for the only one of a file that exports functions and classes as well', async () => {
    const others = `${METER}\nexport function scale(by) { return by; }\nexport class Scale {}`;
    const file = others
      .replace('export const meter', 'export const gauge')
      .replace('export const other = () => 5;', '');
    const config = configIn('rmk.json', metered, { 'meter.ts': file });
    const [started] = await linesOf(config);
    expect(started?.['guests']).toMatchObject([
      { plugins: expect.arrayContaining(['rmk-plugin-meter']) as unknown },
    ]);
  });

  it('reports every problem with a named plugin, with its path', async () => {
    const plugins = [
      { plugin: 'rmk-plugin-nowhere' },
      { plugin: './meter.ts', export: 'metr' },
      { plugin: './meter.ts', export: 'other' },
      { plugin: './pair.ts' },
      { plugin: './meter.ts', option: {} },
      { plugin: './meterr.ts' },
      { plugin: './nothere.ts' },
      7,
    ];
    const two = 'export const one = () => 1; export const two = () => 2;';
    const config = configIn('rmk.json', { guests: [tasks], plugins }, { ...beside, 'pair.ts': two });
    const { code, err } = await rmk(['run', config]);
    expect(code).toBe(ExitCode.USAGE);
    const problems = err.split('\n').filter((line) => line.startsWith('  - '));
    expect(problems).toEqual([
      expect.stringMatching(/plugins\[0\]\.plugin: rmk-plugin-nowhere is not installed/),
      '  - plugins[1].export: ./meter.ts has no plugin metr, did you mean meter?',
      expect.stringMatching(/plugins\[2\]\.plugin: the export of \.\/meter\.ts does not make a plugin/),
      expect.stringMatching(/plugins\[3\]\.plugin: \.\/pair\.ts exports several functions: .*\(one, two\)/),
      expect.stringMatching(/plugins\[4\]\.option: unknown key, did you mean options\?/),
      expect.stringMatching(
        /plugins\[5\]\.plugin: \/\S+\/meterr\.ts not found\. Did you mean \/\S+\/meter\.ts\?$/,
      ),
      expect.stringMatching(/plugins\[6\]\.plugin: \/\S+\/nothere\.ts not found\. Fix the path\.$/),
      expect.stringMatching(/plugins\[7\]: expected a plugin, or its package/),
    ]);
  });
});

describe('the keys of a domain in a config', () => {
  it('supervision and onFailure reach the kernel', async () => {
    const supervision = { quarantineAfterFaults: 2, restartAfter: 'never' };
    const lines = await linesOf(configIn('rmk.json', { ...metered, supervision }, beside));
    expect(lines.filter(({ event }) => event === 'EVT_PLUGINFAULT')).toHaveLength(2);
    expect(lines.filter(({ event }) => event === 'EVT_PLUGINQUARANTINED')).toHaveLength(1);
    expect(
      lines.find(({ event, payload }) => event === 'EVT_PLUGINCHANGED' && payload['to'] === 'quarantined'),
    ).toBeDefined();
  });

  it('the summary for people names a plugin that is quarantined, and one that had a fault', async () => {
    const quarantine = { quarantineAfterFaults: 2, restartAfter: 'never' };
    const quarantined = await rmk([
      'run',
      configIn('rmk.json', { ...metered, supervision: quarantine }, beside),
    ]);
    expect(quarantined.out).toContain(
      '\ntasks: plugin rmk-plugin-meter: 2 faults, quarantined: the guest ran on without it\n',
    );
    const once = await rmk(['run', configIn('rmk.json', { ...metered, until: '3ms' }, beside)]);
    expect(once.out).toContain('\ntasks: plugin rmk-plugin-meter: 1 fault\n');
    expect((await rmk(['run', configIn('rmk.json', { guests: [tasks], until: '1ms' })])).out).not.toContain(
      ': plugin ',
    );
  });

  it('events declares what the host listens to', async () => {
    const { code } = await rmk([
      'run',
      configIn('rmk.json', { guests: [tasks], until: '1ms', events: ['EVT_MINE'] }),
    ]);
    expect(code).toBe(ExitCode.DONE);
  });

  it.each<[string, object, string]>([
    [
      'a misspelt key',
      { supervision: { restartAftr: '1s' } },
      'supervision.restartAftr: unknown key, did you mean restartAfter?',
    ],
    ['a bad budget', { supervision: { handlerBudget: 5 } }, 'supervision.handlerBudget: expected a duration'],
    ['a bad timeout', { timeouts: { start: 'soon' } }, 'timeouts.start: expected a duration'],
    [
      'a bad choice',
      { onFailure: { 'rmk-plugin-meter': 'ignore' } },
      'onFailure.rmk-plugin-meter: expected abort or continue or quarantine',
    ],
    ['no name of an event', { events: ['meter'] }, 'events[0]: '],
  ])('are checked before anything runs: %s', async (_, keys, problem) => {
    const { code, err } = await rmk(['run', configIn('rmk.json', { guests: [tasks], ...keys })]);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain(problem);
  });

  it('refuses an async function of plugins, and says what to do instead', async () => {
    const config = configIn(
      'rmk.ts',
      `export default { guests: [{ name: 'a', guest: 'tasks' }], plugins: async () => [] };`,
    );
    const { code, err } = await rmk(['run', config]);
    expect(code).toBe(ExitCode.USAGE);
    expect(err).toContain(
      'plugins: the function is async. Await what it needs at the top of the config instead.',
    );
  });
});

describe('a fault of a plugin', () => {
  it('is reported with the place in the code of its author', async () => {
    const { out } = await rmk(['run', configIn('rmk.json', metered, beside)]);
    expect(out).toMatch(
      /fault of rmk-plugin-meter in timer: out of range at \/.*meter\.ts:18:\d+ \(fault 1\)/,
    );
    expect(out.match(/out of range at/g)).toHaveLength(1);
    expect(out).toContain('fault of rmk-plugin-meter in timer: again (fault 2)');
    expect(out).not.toContain('    at ');
  });

  it('is reported with the stack under --verbose, without frames of RMK', async () => {
    const { out } = await rmk(['run', configIn('rmk.json', metered, beside), '--verbose']);
    expect(out).toMatch(/ {4}at Meter\.fail \/.*meter\.ts:18:\d+\n.* {4}at \/.*meter\.ts:14:\d+\n/);
    expect(out).not.toMatch(/at .*(kernel|hypervisor-embedded)\/(src|dist)/);
  });

  it('has its stack in the JSON stream', async () => {
    const lines = await linesOf(configIn('rmk.json', metered, beside));
    const fault = lines.find(({ event }) => event === 'EVT_PLUGINFAULT');
    expect(fault?.payload['error']).toEqual({
      message: 'out of range',
      stack: [
        expect.stringMatching(/^Meter\.fail \(.*meter\.ts:18:\d+\)$/),
        expect.stringMatching(/meter\.ts:14:\d+/),
      ],
    });
  });
});
