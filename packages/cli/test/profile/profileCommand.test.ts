import { hangDetector } from '@rmk/hang-detector';
import { pinVmschl } from '@rmk/pin-vmschl';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/index.js';
import { roundedUp } from '../../src/profile/evidence.js';
import type { GuestReport } from '../../src/profile/profileReport.js';
import { configIn, rmk, wildJumpAt } from '../rmk.js';

const tasks = { guests: [{ name: 'tasks', guest: 'tasks' }] };

async function profiled(config: object, ...options: readonly string[]): Promise<readonly GuestReport[]> {
  const { code, out, err } = await rmk(['profile', configIn('rmk.json', config), ...options, '--json']);
  expect({ code, err }).toEqual({ code: ExitCode.DONE, err: '' });
  return (JSON.parse(out) as { readonly guests: readonly GuestReport[] }).guests;
}

describe('rmk profile', () => {
  it('is the same in each run, since it counts guest time alone', async () => {
    const once = await profiled(tasks, '--for', '200ms');
    expect(await profiled(tasks, '--for', '200ms')).toEqual(once);
    expect(once).toMatchObject([
      {
        guest: 'tasks',
        domainNs: 200e6,
        ended: false,
        signs: { 'context-switch': { gaps: 19 }, 'timer-rearmed': { gaps: 19, longest: 10e6 } },
        proposal: { heartbeat: [] },
        detected: [],
      },
    ]);
  });

  it('proposes nothing that accuses the guest it has seen, and hardly less would', async () => {
    const hypervisor = { slice: '1ms' } as const;
    const [report] = await profiled({ ...tasks, hypervisor }, '--for', '350ms', '--margin', '1');
    const longest = Math.ceil(report?.signs['context-switch']?.longest ?? NaN);
    const instructions = report?.instructions?.longest ?? NaN;
    expect(report?.proposal.hang).toMatchObject({
      threshold: `${roundedUp(longest) / 1e6}ms`,
      signs: ['context-switch'],
    });
    const accusations = async (thresholdNs: number, maxInstructions: number): Promise<number> => {
      const options = { threshold: `${thresholdNs}ns` as const, signs: ['context-switch'], maxInstructions };
      const plugins = [pinVmschl(), hangDetector(options)];
      const rig = await startRig({ guest: 'tasks', hypervisor, plugins });
      await rig.advance('350ms');
      return rig.events('EVT_ERRORDETECTED').length;
    };
    expect(await accusations(longest, instructions)).toBe(0);
    // The detector looks at the end of each slice of 1 ms and 100 000 instructions.
    expect(await accusations(longest - 1e6, instructions)).toBeGreaterThan(0);
    expect(await accusations(longest, instructions - 100_000)).toBeGreaterThan(0);
  });

  it('says how long to profile for a rate, and keeps it', async () => {
    const [report] = await profiled(tasks, '--for', '100ms', '--rate', '0.1');
    const { profileForNs = NaN } = report?.signs['timer-rearmed'] ?? {};
    const [longer] = await profiled(tasks, '--for', `${profileForNs + 10e6}ns`);
    const reached = longer?.signs['timer-rearmed']?.falsePositiveRate ?? NaN;
    expect(reached).toBeLessThanOrEqual(0.1);
    expect(reached).toBeGreaterThan(0.085);
  });

  it('measures the beats of the detector in the config, not every output of its device', async () => {
    const input = Array.from({ length: 40 }, (_, index) => ({
      at: `${20 + 5 * index}ms`,
      line: `${index % 2 === 0 ? 'ann' : 'bob'}-${index} incr beats`,
    }));
    const server = { name: 'server', guest: 'server', input };
    const plugins = [
      { plugin: '@rmk/pin-vmio' },
      { plugin: '@rmk/pin-vmschl' },
      { plugin: '@rmk/heartbeat-detector', options: { device: 'uart', silence: '1s', beat: 'ann-' } },
    ];
    const [any] = await profiled({ guests: [{ ...server, protect: false }] }, '--for', '220ms');
    const [beats] = await profiled({ guests: [{ ...server, plugins }] }, '--for', '220ms');
    expect(any?.output['uart']?.gaps).toBeGreaterThanOrEqual(40);
    expect(beats?.output['uart']).toMatchObject({ gaps: 19 });
    expect(beats?.output['uart']?.longest).toBeGreaterThan(9e6);
  });

  it('proposes nothing on few signs, and names a guest that ended', async () => {
    const quit = {
      name: 'server',
      guest: 'server',
      input: [{ at: '20ms', line: 'q1 quit' }],
      protect: false,
    };
    const { code, out } = await rmk(['profile', configIn('rmk.json', { guests: [quit] })]);
    expect(code).toBe(ExitCode.DONE);
    expect(out).toMatch(/^server: 2\d\.\d ms of domain time, \d+ % of it idle; it ended by itself$/m);
    expect(out).toContain('Too few signs for a proposal: profile for longer.');
  });

  it('reports a guest whose present threshold accuses it, and succeeds: that is what was to be found out', async () => {
    const config = { ...tasks, hypervisor: { slice: '100us' }, protect: { hang: { threshold: '500us' } } };
    const { code, out } = await rmk(['profile', configIn('rmk.json', config), '--for', '8ms']);
    expect(code).toBe(ExitCode.DONE);
    expect(out).toContain('hang detected by @rmk/hang-detector: no sign of progress');
    expect(out).toContain('a false positive of the present options');
  });

  it('fails for a guest that crashes, which nobody undoes: it was not healthy', async () => {
    const config = configIn(
      'rmk.config.ts',
      `${wildJumpAt('50ms')}
       import { microcheckpoint } from '@rmk/preset-microcheckpoint';
       export default {
         guests: [{ name: 'tasks', guest: 'tasks' }],
         plugins: () => [...microcheckpoint({ hang: false }), wildJump()],
       };`,
    );
    const { code, out } = await rmk(['profile', config, '--for', '51ms']);
    expect(code).toBe(ExitCode.FAILED);
    expect(out).toContain('crash detected by @rmk/pin-vmsignal');
    expect(out).toContain('The guest was not healthy');
  });

  it('reports what it measured even if a plugin fails to stop, and fails', async () => {
    const config = configIn(
      'rmk.config.ts',
      `import { definePlugin } from '@rmk/core';
       class Jammed { stop() { throw new Error('jammed'); } }
       const jammed = definePlugin({ name: 'rmk-plugin-jammed', version: '1.0.0', rmk: '*', modules: [Jammed] });
       export default {
         guests: [{ name: 'one', guest: 'tasks' }, { name: 'two', guest: 'tasks' }],
         plugins: () => [jammed()],
       };`,
    );
    const { code, out, err } = await rmk(['profile', config, '--for', '20ms']);
    expect(code).toBe(ExitCode.FAILED);
    expect(out).toMatch(/^one: 20/m);
    expect(out).toMatch(/^two: 20/m);
    expect(err.split('\n').slice(0, -1)).toEqual(
      ['two', 'one'].map((guest) =>
        expect.stringMatching(`^a domain failed to stop: ${guest}: RMK_ERR_STOP: .*jammed$`),
      ),
    );
  });

  it('shows the default of --for once, as a duration', async () => {
    const { out } = await rmk(['profile', '--help']);
    expect(out.match(/--for [^]*?(?=\n +--margin)/)?.[0].match(/\(default: .*?\)/g)).toEqual([
      '(default: 10s)',
    ]);
  });

  it.each([
    [['--for', '2'], 'expected a duration above zero such as 50ms'],
    [['--for', '999999999s'], 'this one is too long'],
    [['--for', '0s'], 'expected a duration above zero such as 50ms'],
    [['--rate', '1'], '"1" is not a number above 0 and below 1'],
    [['--confidence', 'high'], '"high" is not a number'],
    [['--margin', '0.5'], '"0.5" is not a number of 1 or more'],
    [['--unknown'], "unknown option '--unknown'"],
  ])('refuses %j', async (options, message) => {
    const { code, out, err } = await rmk(['profile', configIn('rmk.json', tasks), ...options]);
    expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
    expect(err).toContain(message);
  });

  it('refuses a config as rmk run does', async () => {
    const config = configIn('rmk.json', { guests: [{ name: 'a b', guest: 'tusks' }] });
    const { code, out, err } = await rmk(['profile', config]);
    expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
    expect(err).toBe((await rmk(['run', config])).err);
  });
});
