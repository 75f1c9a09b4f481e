import 'reflect-metadata';
import {
  definePlugin,
  provide,
  token,
  type Domain,
  type Manifest,
  type Module,
  type OnFailure,
  type Plugin,
  type RmkEvent,
} from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { injectable } from 'tsyringe';
import { beforeEach, describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';
import { ScriptedMachine } from '../scriptedMachine.js';

interface Pin {
  read(): number;
}
const P_A = token<Pin>('test:P_A');
const P_B = token<Pin>('test:P_B');

/** How often the failing plugins are still to fail. */
let failures = Infinity;
beforeEach(() => void (failures = Infinity));

function pin(name: string, of: typeof P_A, manifest: Partial<Manifest> = {}, fails = false): Plugin {
  @injectable()
  class Provider implements Pin, Module {
    start(): void {
      if (fails && failures-- > 0) throw new Error('no device');
    }
    read(): number {
      return 1;
    }
  }
  const provides = [provide(of, Provider)];
  return definePlugin({ name, version: '1.0.0', rmk: '*', provides, ...manifest })();
}

const bad = (manifest: Partial<Manifest> = {}): Plugin => pin('bad', P_A, manifest, true);
const family = (manifest: Partial<Manifest>): readonly Plugin[] => [
  plugin('free'),
  bad(manifest),
  pin('agent', P_B, { requires: [P_A] }),
  plugin('module', undefined, { requires: [P_B] }),
  plugin('last'),
];

function states(domain: Domain): readonly string[] {
  return domain.plugins.map(({ name, state }) => `${name} ${state}`);
}

const FAILED = 'RMK_ERR_START: bad: start() of Provider threw: no device';

describe('a plugin that fails to start and whose onFailure is continue', () => {
  it('is left out with those that cannot be without it, each with the reason, and the others go on', async () => {
    const warnings: string[] = [];
    const { domain } = await domainOf(family({ onFailure: 'continue' }), {
      observe: (bus) =>
        void bus.on('EVT_WARNING', ({ code, message }) => void warnings.push(`${code} ${message}`)),
    });
    expect(states(domain)).toEqual([
      'free active',
      'bad failed',
      'agent failed',
      'module failed',
      'last active',
    ]);
    expect(domain.plugins.map(({ error }) => error?.message)).toEqual([
      undefined,
      FAILED,
      `RMK_ERR_DEPENDENCY: agent cannot start: it requires test:P_A of bad, which has failed (${FAILED}): fix and restart bad`,
      expect.stringMatching(
        /^RMK_ERR_DEPENDENCY: module cannot start: it requires test:P_B of agent, which has failed/,
      ),
      undefined,
    ]);
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toBe(`RMK_WARN_FAILED the domain test goes on without bad: ${FAILED}`);
  });

  it('has its registrations released', async () => {
    const failing = plugin(
      'bad',
      (bus, clock) => {
        bus.on('EVT_VMEXITED', () => {});
        clock.every(10, () => {});
        throw new Error('no device');
      },
      { onFailure: 'continue' },
    );
    const { domain, machine } = await domainOf([failing]);
    expect(domain.plugins).toMatchObject([{ state: 'failed', registered: [] }]);
    expect(machine.liveTimers).toBe(0);
    expect(domain.bus.topic('EVT_VMEXITED').observed).toBe(false);
  });

  it('aborts all the same if a dependant states abort itself', async () => {
    const plugins = [
      bad({ onFailure: 'continue' }),
      plugin('module', undefined, { requires: [P_A], onFailure: 'abort' }),
    ];
    const error = await errorOf(domainOf(plugins));
    expect(error.code).toBe('RMK_ERR_DEPENDENCY');
    expect(error.plugin).toBe('module');
  });

  it('cannot be called, and what it provides is not available', async () => {
    const { domain } = await domainOf(family({ onFailure: 'continue' }));
    expect(() => domain.get(P_A)).toThrow(
      `RMK_ERR_INACTIVE: test:P_A is not available: bad, which provides it, is failed (${FAILED}). Fix and restart bad.`,
    );
  });

  it('is a reason to reject a later plugin that requires it', async () => {
    const { domain } = await domainOf([bad({ onFailure: 'continue' })]);
    const error = await errorOf(domain.install(plugin('late', undefined, { requires: [P_A] })));
    expect(error.code).toBe('RMK_ERR_DEPENDENCY');
    expect(error.message).toContain('late cannot start: it requires test:P_A of bad, which has failed');
    expect(states(domain)).toEqual(['bad failed']);
  });

  it('can be restarted once it is fixed, and its dependants start with it', async () => {
    const { domain } = await domainOf(family({ onFailure: 'continue' }));
    failures = 1;
    const failed = await errorOf(domain.restart('bad'));
    expect(failed.code).toBe('RMK_ERR_START');
    expect(failed.reason).toBe('3 plugins failed to start again after the restart of bad');
    expect(failed.problems).toEqual([
      { path: '', plugin: 'bad', message: 'bad: start() of Provider threw: no device' },
      {
        path: '',
        code: 'RMK_ERR_DEPENDENCY',
        plugin: 'agent',
        message: `it requires test:P_A of bad, which has failed (${FAILED}): fix and restart bad`,
      },
      {
        path: '',
        code: 'RMK_ERR_DEPENDENCY',
        plugin: 'module',
        message: expect.stringContaining('it requires test:P_B of agent, which has failed') as string,
      },
    ]);
    expect(states(domain)).toEqual([
      'free active',
      'last active',
      'bad failed',
      'agent failed',
      'module failed',
    ]);
    await domain.restart('bad');
    expect(states(domain)).toEqual([
      'free active',
      'last active',
      'bad active',
      'agent active',
      'module active',
    ]);
    expect(domain.plugins.map(({ error }) => error)).toEqual(Array(5).fill(undefined));
    expect(domain.get(P_A).read()).toBe(1);
  });

  it('can be removed', async () => {
    const { domain } = await domainOf(family({ onFailure: 'continue' }));
    await domain.remove('bad', { dependants: 'remove' });
    expect(states(domain)).toEqual(['free active', 'last active']);
  });
});

describe('a plugin that fails to start and whose onFailure is quarantine', () => {
  it('is started again after a while of domain time, and brings those along that need it', async () => {
    failures = 2;
    const quarantined: unknown[] = [];
    const { domain, machine } = await domainOf(family({ onFailure: 'quarantine' }), {
      supervision: { restartAfter: '100ns' },
      observe: (bus) =>
        void bus.on('EVT_PLUGINQUARANTINED', ({ atNs, plugin: name }) => void quarantined.push([name, atNs])),
    });
    expect(states(domain)).toEqual([
      'free active',
      'bad quarantined',
      'agent failed',
      'module failed',
      'last active',
    ]);
    await machine.run(299);
    expect(states(domain).slice(2)).toEqual(['bad quarantined', 'agent failed', 'module failed']);
    await machine.run(1);
    await machine.released();
    expect(states(domain).slice(2)).toEqual(['bad active', 'agent active', 'module active']);
    expect(quarantined).toEqual([
      ['bad', 0],
      ['bad', 100],
    ]);
    expect(domain.plugins.map(({ name, restarts }) => `${name} ${restarts}`)).toEqual([
      'free 0',
      'last 0',
      'bad 2',
      'agent 2',
      'module 2',
    ]);
    await domain.stop();
    expect(machine.liveTimers).toBe(0);
  });
});

describe('the onFailure of the host', () => {
  it('overrides that of the author', async () => {
    const { domain } = await domainOf([bad()], { onFailure: { bad: 'continue' } });
    expect(domain.plugins).toMatchObject([{ state: 'failed', onFailure: 'continue' }]);
    expect(
      (await errorOf(domainOf([bad({ onFailure: 'continue' })], { onFailure: { bad: 'abort' } }))).code,
    ).toBe('RMK_ERR_START');
  });

  it('applies to install too', async () => {
    const { domain } = await domainOf([]);
    await domain.install(bad(), { onFailure: 'continue' });
    expect(domain.plugins).toMatchObject([{ name: 'bad', state: 'failed' }]);
  });

  it('must name a plugin of the list, and be one of the three', async () => {
    const machine = new ScriptedMachine();
    const make = (onFailure: Record<string, string>) =>
      createDomain({
        name: 'test',
        machine,
        plugins: [plugin('fine')],
        onFailure: onFailure as Record<string, OnFailure>,
      });
    expect((await errorOf(make({ fime: 'continue' }))).message).toBe(
      'RMK_ERR_UNKNOWN: onFailure: no plugin that is given is named fime: did you mean fine?',
    );
    expect((await errorOf(make({ fine: 'shrug' }))).message).toBe(
      'RMK_ERR_INPUT: createDomain: invalid options: onFailure.fine: expected one of abort, continue, quarantine, given "shrug"',
    );
  });
});

describe('the states of a plugin', () => {
  it('are reported one by one, with the reason of a failure', async () => {
    const changes: string[] = [];
    const note = ({ plugin: name, from, to, reason }: RmkEvent<'EVT_PLUGINCHANGED'>): void =>
      void changes.push(`${name}: ${from} → ${to}${reason === undefined ? '' : `, ${reason}`}`);
    const { domain } = await domainOf([plugin('fine'), bad({ onFailure: 'continue' })], {
      observe: (bus) => void bus.on('EVT_PLUGINCHANGED', note),
    });
    expect(changes.splice(0)).toEqual([
      'fine: pending → starting',
      'fine: starting → active',
      'bad: pending → starting',
      `bad: starting → failed, ${FAILED}`,
    ]);
    await domain.remove('fine');
    expect(changes.splice(0)).toEqual(['fine: active → stopping', 'fine: stopping → removed']);
    failures = 0;
    await domain.restart('bad');
    expect(changes.splice(0)).toEqual([
      'bad: failed → stopping',
      'bad: stopping → pending, restarted by the host',
      'bad: pending → starting',
      'bad: starting → active',
    ]);
  });
});
