import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cases } from '../../../test/long.js';
import { planRun } from '../src/config/runPlan.js';
import { startedDomains } from '../src/doctor/startedDomains.js';
import { ExitCode } from '../src/index.js';
import { planCampaign } from '../src/inject/experimentFile.js';
import { configIn, rmk } from './rmk.js';

const RUN = {
  guests: [
    {
      name: 'tasks',
      guest: 'tasks',
      memory: '16MiB',
      logPages: 100,
      engine: 'interpreter',
      contextSwitch: { symbol: 'current', offset: 0 },
      deviceTree: true,
      bootArgs: 'quiet',
      bootData: [{ address: '0x80800000', data: [1] }],
      input: [{ at: '1ms', text: 'x' }],
    },
  ],
  plugins: [{ plugin: '@rmk/pin-vcpu' }, { plugin: '@rmk/cowb', options: {}, export: 'cowb' }],
  hypervisor: { frequencyHz: 1e6, slice: '1ms', pace: 'none' },
  onFailure: { '@rmk/pin-vcpu': 'abort' },
  supervision: { faults: 3, window: '1s' },
  timeouts: { start: '1s' },
  events: ['EVT_MINE'],
  until: '0ms',
  output: 'none',
};
const PROTECTED = {
  guests: [
    {
      name: 'tasks',
      guest: 'tasks',
      elf: 'x.elf',
      file: 'x.txt',
      protect: {
        interval: '50ms',
        retain: 3,
        algorithm: 'cowb',
        hang: { threshold: '1s', signs: ['context-switch'] },
        signals: { ordinary: 'rtos' },
        recovery: { maxRestarts: 1, restartWindow: '1s' },
        corruptionRisk: 0.1,
        latencies: [1],
      },
    },
  ],
  output: { directory: 'out' },
};
const IN_QEMU = {
  guests: [
    {
      name: 'linux',
      memory: '256MiB',
      qemu: {
        kernel: 'bzImage',
        initrd: 'initrd',
        append: 'quiet',
        disks: [{ file: 'disk.img', readOnly: true }],
        network: 'user',
        heartbeat: 'beat',
        cpus: 1,
      },
      protect: { interval: '50ms' },
    },
  ],
  qemu: { binary: 'not-there', directory: 'x' },
};
const EXPERIMENT = {
  guest: { name: 'tasks', guest: 'tasks', memory: '16MiB', input: [] },
  protect: { interval: '50ms' },
  faults: ['register-flip', { fault: 'wild-jump', options: { to: 'nowhere' }, weight: 1 }],
  count: 1,
  margin: 0.1,
  seed: 1,
  steadyState: { exitCode: 0, output: 'x', within: '1s' },
  window: { from: '1ms', to: '2ms' },
  grid: '1ms',
  watch: '1s',
  timeout: '1s',
  control: 0.1,
};

/** Of every type of JSON, with what JavaScript cannot print, and objects that look like the right one. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  'a\0b',
  [],
  [null],
  [['tasks']],
  {},
  { toString: 5, valueOf: 5 },
  { definition: null },
  { definition: { provides: [null] } },
  { plugin: null },
  { plugin: '@rmk/cowb', export: { toString: 5 } },
  { name: 'x', choose: 5 },
];

type Path = readonly (string | number)[];

/** Every place in `value`, itself included. */
function placesIn(value: unknown, at: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [at, ...[...keys].flatMap((key) => placesIn(Reflect.get(value, key), [...at, key]))];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy: object = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  Reflect.set(copy, key, replaced(Reflect.get(copy, key), rest, by));
  return copy;
}

/** A config of which any one place is replaced by any hostile value. */
const spoilt = (config: object): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.constantFrom(...placesIn(config)), fc.constantFrom(...HOSTILE))
    .map(([place, value]) => replaced(config, place, value));

const refusalOf = async (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('whatever a config in JSON holds', () => {
  it('`rmk run` accepts or refuses it, without a stack trace', async () => {
    const anyConfig = fc.oneof(spoilt(RUN), spoilt(PROTECTED));
    await fc.assert(
      fc.asyncProperty(anyConfig, async (config) => {
        const { code, out, err } = await rmk(['run', configIn('rmk.json', JSON.stringify(config)), '--json']);
        expect(err).not.toMatch(/\n\s+at /);
        if (code === ExitCode.USAGE)
          expect({ out, err: err.slice(0, 8) }).toEqual({ out: '', err: 'RMK_ERR_' });
      }),
      { numRuns: cases(12, 1000) },
    );
  });

  it('`rmk doctor` reads it, or refuses it with a code', async () => {
    const anyConfig = fc.oneof(spoilt(RUN), spoilt(PROTECTED));
    await fc.assert(
      fc.asyncProperty(anyConfig, async (config) => {
        const refusal = await refusalOf(startedDomains(configIn('rmk.json', JSON.stringify(config))));
        if (refusal !== undefined) expect(refusal).toHaveProperty('code', 'RMK_ERR_INPUT');
      }),
      { numRuns: cases(12, 1000) },
    );
  });

  it('a guest in QEMU is planned, or refused with a code', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt(IN_QEMU), async (config) => {
        const refusal = await refusalOf(planRun(configIn('rmk.json', JSON.stringify(config))));
        // Its kernel is not there.
        expect(refusal).toHaveProperty('code', 'RMK_ERR_INPUT');
      }),
      { numRuns: cases(20, 1000) },
    );
  });

  it('an experiment is planned, or refused with a code', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt(EXPERIMENT), async (experiment) => {
        const refusal = await refusalOf(planCampaign(configIn('rmk.json', JSON.stringify(experiment))));
        if (refusal !== undefined) expect(refusal).toHaveProperty('code', 'RMK_ERR_INPUT');
      }),
      { numRuns: cases(20, 1000) },
    );
  });
});

const tasks = { name: 'tasks', guest: 'tasks' };
const PLUGIN = "expected a plugin, or its package such as { plugin: 'rmk-plugin-x', options: {} }";

it.each([
  { plugins: [{ plugin: '@rmk/pin-vcpu' }, { plugin: '@rmk/cowb' }, { plugin: null }], at: 'plugins[2]' },
  { plugins: [{ plugin: 5 }], at: 'plugins[0]' },
  { plugins: [{}], at: 'plugins[0]' },
  { plugins: [{ definition: null }], at: 'plugins[0]' },
  { plugins: [null], at: 'plugins[0]' },
])('the plugins $plugins are refused at $at', async ({ plugins, at }) => {
  const ofConfig = configIn('rmk.json', { guests: [tasks], plugins });
  const ofGuest = configIn('rmk.json', { guests: [{ ...tasks, plugins }] });
  for (const command of ['run', 'doctor']) {
    const said = await rmk([command, ofConfig]);
    expect(said).toMatchObject({ code: ExitCode.USAGE, out: '' });
    expect(said.err).toContain(`RMK_ERR_INPUT: ${ofConfig} cannot be run: ${at}: ${PLUGIN}`);
    expect((await rmk([command, ofGuest])).err).toContain(`guests[0].${at}: ${PLUGIN}`);
  }
});

it.each([
  [{ plugins: [{ definition: { name: 'x', provides: [null] } }] }, 'RMK_ERR_MANIFEST'],
  [{ plugins: [{ plugin: '@rmk/cowb', export: null }] }, 'plugins[0].export: expected the name of an export'],
  [{ guests: [{ ...tasks, guest: ['tasks'] }] }, 'guests[0].guest: expected the name of a guest'],
  [{ guests: [{ ...tasks, memory: ['16MiB'] }] }, 'guests[0].memory: expected bytes, or a size'],
  [
    { guests: [{ ...tasks, bootData: [{ address: ['0x81000000'], data: [1] }] }] },
    'guests[0].bootData[0].address: expected a guest-physical address',
  ],
])('%j is refused: %s', async (config, message) => {
  const { code, err, out } = await rmk(['doctor', configIn('rmk.json', { guests: [tasks], ...config })]);
  expect(code).not.toBe(ExitCode.DONE);
  expect(err + out).toContain(message);
});

it('a getter of a script that throws is reported with its place', async () => {
  const script = `export default {\n  guests: [{ name: 'tasks', get guest() {\n    throw new Error('not today');\n  } }],\n};\n`;
  const config = configIn('rmk.mjs', script);
  expect(await rmk(['run', config])).toMatchObject({
    code: ExitCode.USAGE,
    err: expect.stringMatching(/^RMK_ERR_INPUT: .*rmk\.mjs failed: not today \(.*rmk\.mjs:3/) as unknown,
  });
});

it('calls for a plugin where it is given what makes one', async () => {
  const script = `import { definePlugin } from '@rmk/core';
const mine = definePlugin({ name: 'mine', version: '1.0.0', rmk: '*' });
export default { guests: [{ name: 'tasks', guest: 'tasks' }], plugins: [mine] };
`;
  const { code, err } = await rmk(['doctor', configIn('rmk.mjs', script)]);
  expect(code).toBe(ExitCode.USAGE);
  expect(err).toContain('plugins[0]: expected a plugin, given a function');
});
