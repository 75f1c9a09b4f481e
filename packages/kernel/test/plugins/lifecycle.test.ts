import 'reflect-metadata';
import {
  CLOCK,
  definePlugin,
  problemText,
  provide,
  token,
  type Bus,
  type Clock,
  type Domain,
  type Manifest,
  type Module,
  type Plugin,
} from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { inject, injectable } from 'tsyringe';
import { beforeEach, describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';
import { ScriptedMachine } from '../scriptedMachine.js';

interface Pin {
  readonly owner: string;
}
const P_A = token<Pin>('test:P_A');
const P_B = token<Pin>('test:P_B');

/** What the logged plugins did, in order. */
const log: string[] = [];
beforeEach(() => void log.splice(0));

type Failing = 'constructor' | 'start' | 'stop';

/** A plugin that logs its life, has a timer, provides `pin`, and fails in the given places. */
function logged(name: string, manifest: Partial<Manifest> = {}, failing: readonly Failing[] = []): Plugin {
  const failIf = (where: Failing): void => {
    if (failing.includes(where)) throw new Error(`${name} fails in ${where}`);
  };
  @injectable()
  class Logged implements Module, Pin {
    readonly owner = name;

    constructor(@inject(CLOCK) private readonly clock: Clock) {
      failIf('constructor');
    }

    async start(): Promise<void> {
      this.clock.every(10, () => {});
      await Promise.resolve();
      failIf('start');
      log.push(`${name} started`);
    }

    async stop(): Promise<void> {
      await Promise.resolve();
      log.push(`${name} stopped`);
      failIf('stop');
    }
  }
  const { provides = [], ...others } = manifest;
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '*',
    provides: provides.map(({ token: of }) => provide(of, Logged)),
    modules: [Logged],
    ...others,
  })();
}

class Placeholder implements Pin {
  readonly owner = '';
}
const providesA = { provides: [provide(P_A, Placeholder)] };
const providesB = { provides: [provide(P_B, Placeholder)] };

function names(domain: Domain): readonly string[] {
  return domain.plugins.map(({ name }) => name);
}

describe('a domain', () => {
  it('starts one plugin after the other, and stops them in reverse', async () => {
    const { domain, machine } = await domainOf([
      logged('module', { requires: [P_A] }),
      logged('pin', providesA),
      logged('free'),
    ]);
    expect(log.splice(0)).toEqual(['pin started', 'module started', 'free started']);
    expect(domain.plugins.map(({ state }) => state)).toEqual(['active', 'active', 'active']);
    expect(machine.liveTimers).toBe(3);
    await domain.stop();
    expect(log).toEqual(['free stopped', 'module stopped', 'pin stopped']);
    expect(domain.plugins).toEqual([]);
    expect(machine.liveTimers).toBe(0);
  });

  it('lists plugins that are starting or stopping', async () => {
    const states: unknown[] = [];
    const { domain } = await domainOf([logged('a')]);
    const observed = plugin('observed', () => void states.push(domain.plugins.at(-1)?.state));
    await domain.install(observed);
    expect(states).toEqual(['starting']);
    const removing = domain.remove('a');
    await Promise.resolve();
    await Promise.resolve();
    expect(domain.plugins[0]?.state).toBe('stopping');
    await removing;
  });

  it('lets the host observe from before the first start until after the last stop', async () => {
    const seen: string[] = [];
    const { domain } = await domainOf(
      [plugin('talker', (bus) => bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: 'start' }))],
      { observe: (bus) => void bus.on('EVT_LOGLOST', ({ reason }) => void seen.push(reason)) },
    );
    expect(seen).toEqual(['start']);
    await domain.stop();
    expect(domain.bus.topic('EVT_LOGLOST').observed).toBe(false);
    expect(() => domain.bus.on('EVT_LOGLOST', () => {})).toThrow('RMK_ERR_STATE: host is stopped');
  });

  it('can be stopped twice, and does nothing thereafter', async () => {
    const { domain } = await domainOf([logged('a')]);
    await domain.stop();
    await domain.stop();
    expect((await errorOf(domain.install(logged('b')))).code).toBe('RMK_ERR_STATE');
    expect((await errorOf(domain.remove('a'))).code).toBe('RMK_ERR_STATE');
  });

  it('does one thing at a time', async () => {
    const { domain } = await domainOf([]);
    await Promise.all([domain.install(logged('a')), domain.install(logged('b')), domain.remove('a')]);
    expect(log).toEqual(['a started', 'b started', 'a stopped']);
    expect(names(domain)).toEqual(['b']);
  });
});

describe('a VM', () => {
  it('belongs to one domain until that has stopped', async () => {
    const { domain: first, machine } = await domainOf([logged('a')]);
    const error = await errorOf(createDomain({ name: 'second', machine, plugins: [logged('b')] }));
    expect(error.code).toBe('RMK_ERR_STATE');
    expect(error.message).toBe(
      'RMK_ERR_STATE: the VM scripted belongs to the domain test: stop that one before second is made, or give second a VM of its own',
    );
    expect(log.splice(0)).toEqual(['a started']);
    await first.stop();
    const second = await createDomain({ name: 'second', machine, plugins: [logged('b')] });
    // A second stop of the first does not make it free for a third.
    await first.stop();
    expect((await errorOf(createDomain({ name: 'third', machine, plugins: [] }))).code).toBe('RMK_ERR_STATE');
    expect(names(second)).toEqual(['b']);
  });

  it('keeps the hold of the domain that it belongs to', async () => {
    const { domain, machine } = await domainOf([]);
    await errorOf(createDomain({ name: 'second', machine, plugins: [] }));
    let release = (): void => {};
    domain.bus.on('EVT_VMEXITED', () => new Promise<void>((resolve) => (release = resolve)));
    await machine.released();
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    expect(machine.held).toBe(true);
    release();
    await machine.released();
  });

  it('is one domain’s also where two are made at once', async () => {
    const machine = new ScriptedMachine();
    const made = await Promise.allSettled(
      ['first', 'second'].map((name) => createDomain({ name, machine, plugins: [] })),
    );
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it.each([
    ['was refused', plugin('No Name')],
    ['failed to start', logged('bad', {}, ['start'])],
  ])('is free again if the domain %s', async (_, bad) => {
    const machine = new ScriptedMachine();
    await errorOf(createDomain({ name: 'first', machine, plugins: [bad] }));
    expect(names(await createDomain({ name: 'second', machine, plugins: [logged('a')] }))).toEqual(['a']);
  });
});

describe('a plugin that fails to start', () => {
  it('is reported even if its object has no class', async () => {
    class Bare {
      constructor() {
        const bare = Object.create(null) as Bare & Module;
        bare.start = () => Promise.reject(new Error('no such device'));
        return bare;
      }

      stop(): void {}
    }
    const bare = definePlugin({ name: 'bare', version: '1.0.0', rmk: '*', modules: [Bare] })();
    const { domain } = await domainOf([bare, logged('a')], { onFailure: { bare: 'continue' } });
    expect(domain.plugins).toMatchObject([{ name: 'bare', state: 'failed' }, { state: 'active' }]);
    expect(domain.plugins[0]?.error?.message).toContain('start() of a class threw: no such device');
  });

  it.each(['constructor', 'start'] as const)('in its %s ends the domain, in reverse', async (where) => {
    const machine = new ScriptedMachine();
    const error = await errorOf(
      createDomain({
        name: 'test',
        machine,
        plugins: [logged('a'), logged('b'), logged('bad', {}, [where]), logged('never')],
      }),
    );
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.plugin).toBe('bad');
    expect(error.message).toContain(`bad fails in ${where}`);
    expect(error.cause).toEqual(new Error(`bad fails in ${where}`));
    expect(log).toEqual(['a started', 'b started', 'b stopped', 'a stopped']);
    expect(machine.liveTimers).toBe(0);
    await machine.released();
    expect(machine.held).toBe(false);
  });

  it('leaves nothing of the host behind either', async () => {
    const buses: Bus[] = [];
    const observe = (bus: Bus): void => {
      buses.push(bus);
      bus.on('EVT_LOGLOST', () => {});
    };
    await errorOf(domainOf([logged('bad', {}, ['start'])], { observe }));
    expect(buses.map((bus) => bus.topic('EVT_LOGLOST').observed)).toEqual([false]);
  });

  it('is reported together with what failed while the others were stopped', async () => {
    const error = await errorOf(domainOf([logged('a', {}, ['stop']), logged('bad', {}, ['start'])]));
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.problems).toEqual([
      { path: '', plugin: 'bad', message: 'bad: start() of Logged threw: bad fails in start' },
      {
        path: '',
        plugin: 'a',
        code: 'RMK_ERR_STOP',
        message: 'a: stop() of Logged threw: a fails in stop',
      },
    ]);
  });

  it('changes nothing when it is installed', async () => {
    const { domain, machine } = await domainOf([logged('a')]);
    const before = domain.plugins;
    const error = await errorOf(domain.install(logged('bad', {}, ['start'])));
    expect(error.plugin).toBe('bad');
    expect(domain.plugins).toEqual(before);
    expect(machine.liveTimers).toBe(1);
    await domain.install(logged('bad'));
    expect(names(domain)).toEqual(['a', 'bad']);
  });
});

describe('a plugin of several classes', () => {
  it('may have some with neither start nor stop', async () => {
    let made = 0;
    class Quiet {
      readonly number = ++made;
    }
    const { domain } = await domainOf([
      plugin('a', undefined, { modules: [Quiet], provides: [provide(P_A, Placeholder)] }),
    ]);
    expect(made).toBe(1);
    expect(domain.plugins).toMatchObject([{ state: 'active' }]);
    await domain.stop();
    expect(domain.plugins).toEqual([]);
  });

  it('has those stopped that had started, in reverse', async () => {
    const loggedClass = (name: string, fails = false) =>
      class {
        start(): void {
          if (fails) throw new Error('broken');
          log.push(`${name} started`);
        }
        stop(): void {
          log.push(`${name} stopped`);
        }
      };
    const modules = [
      loggedClass('first'),
      loggedClass('second'),
      loggedClass('bad', true),
      loggedClass('never'),
    ];
    await errorOf(domainOf([plugin('a', undefined, { modules })]));
    expect(log).toEqual(['first started', 'second started', 'second stopped', 'first stopped']);
  });
});

describe('plugins that fail to stop', () => {
  it('do not prevent the others from stopping, and are all reported', async () => {
    const { domain, machine } = await domainOf([
      logged('a', {}, ['stop']),
      logged('b'),
      logged('c', {}, ['stop']),
    ]);
    const error = await errorOf(domain.stop());
    expect(error.code).toBe('RMK_ERR_STOP');
    expect(error.problems.map(problemText)).toEqual([
      'c: stop() of Logged threw: c fails in stop',
      'a: stop() of Logged threw: a fails in stop',
    ]);
    const { errors } = error.cause as AggregateError;
    expect(errors.map(({ cause }: Error) => cause)).toEqual([
      new Error('c fails in stop'),
      new Error('a fails in stop'),
    ]);
    expect(log.slice(3)).toEqual(['c stopped', 'b stopped', 'a stopped']);
    expect(domain.plugins).toEqual([]);
    expect(machine.liveTimers).toBe(0);
  });

  it('are removed nevertheless', async () => {
    const { domain } = await domainOf([logged('a', {}, ['stop'])]);
    const error = await errorOf(domain.remove('a'));
    expect(error.message).toBe('RMK_ERR_STOP: a: stop() of Logged threw: a fails in stop');
    expect(error.plugin).toBe('a');
    expect(error.cause).toEqual(new Error('a fails in stop'));
    expect(domain.plugins).toEqual([]);
  });
});

describe('installing beside a running guest', () => {
  it('injects what installed plugins provide', async () => {
    const { domain, machine } = await domainOf([logged('pin', providesA)]);
    await machine.run(100);
    await domain.install(logged('module', { requires: [P_A] }));
    expect(domain.plugins.map(({ name, dependsOn }) => [name, dependsOn])).toEqual([
      ['pin', []],
      ['module', ['pin']],
    ]);
    expect(domain.get(P_A).owner).toBe('pin');
  });

  it('is checked against the installed plugins', async () => {
    const { domain } = await domainOf([logged('pin', providesA)]);
    expect((await errorOf(domain.install(logged('pin')))).code).toBe('RMK_ERR_DUPLICATE');
    expect((await errorOf(domain.install(logged('other', providesA)))).code).toBe('RMK_ERR_DUPLICATE');
    expect((await errorOf(domain.install(logged('module', { requires: [P_B] })))).code).toBe(
      'RMK_ERR_MISSING',
    );
    expect(names(domain)).toEqual(['pin']);
  });
});

describe('removing beside a running guest', () => {
  const family = (): readonly Plugin[] => [
    logged('pin', providesA),
    logged('agent', { requires: [P_A], ...providesB }),
    logged('module', { requires: [P_B] }),
    logged('free'),
  ];

  it('is rejected while others require what the plugin provides', async () => {
    const { domain } = await domainOf(family());
    const error = await errorOf(domain.remove('pin'));
    expect(error.code).toBe('RMK_ERR_REQUIRED');
    expect(error.problems.map(problemText)).toEqual([
      'agent requires test:P_A of pin',
      'module requires test:P_B of agent',
    ]);
    expect(names(domain)).toEqual(['pin', 'agent', 'module', 'free']);
  });

  it('removes no dependants unless the option says so', async () => {
    const { domain } = await domainOf(family());
    const how = {} as { readonly dependants: 'remove' };
    expect((await errorOf(domain.remove('pin', how))).code).toBe('RMK_ERR_REQUIRED');
    expect(names(domain)).toEqual(['pin', 'agent', 'module', 'free']);
  });

  it('removes the dependants if the option says so, in reverse', async () => {
    const { domain, machine } = await domainOf(family());
    log.splice(0);
    await domain.remove('pin', { dependants: 'remove' });
    expect(log).toEqual(['module stopped', 'agent stopped', 'pin stopped']);
    expect(names(domain)).toEqual(['free']);
    expect(machine.liveTimers).toBe(1);
  });

  it('is possible in the order of the dependants, and can be undone', async () => {
    const { domain } = await domainOf(family());
    await domain.remove('module');
    await domain.remove('agent');
    await domain.remove('pin');
    expect(names(domain)).toEqual(['free']);
    for (const one of family().slice(0, 3)) await domain.install(one);
    expect(names(domain)).toEqual(['free', 'pin', 'agent', 'module']);
  });

  it('needs a plugin of that name', async () => {
    const { domain } = await domainOf([logged('a'), logged('b')]);
    expect((await errorOf(domain.remove('c'))).message).toBe(
      'RMK_ERR_UNKNOWN: no plugin of the domain test is named c: choose one of those that are (a, b)',
    );
  });

  it('waits for the pending handlers of the plugin, which can still do everything', async () => {
    let finish = (): void => {};
    const { domain, machine } = await domainOf([
      logged('pin', providesA),
      plugin('slow', (bus, clock) => {
        bus.on('EVT_LOGLOST', async () => {
          await new Promise<void>((resolve) => (finish = resolve));
          clock.after(10, () => {});
          log.push('handled');
        });
      }),
    ]);
    domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
    const removed = domain.remove('slow').then(() => log.push('removed'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(names(domain)).toEqual(['pin', 'slow']);
    finish();
    await removed;
    expect(log.slice(1)).toEqual(['handled', 'removed']);
    expect(domain.bus.topic('EVT_LOGLOST').observed).toBe(false);
    expect(machine.liveTimers).toBe(1);
  });

  it('releases subscriptions even while a handler is pending', async () => {
    const { domain, machine } = await domainOf([
      plugin('slow', (bus) => {
        bus.on('EVT_LOGLOST', () => new Promise((resolve) => setImmediate(resolve)));
      }),
    ]);
    domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
    await domain.remove('slow');
    expect(domain.bus.topic('EVT_LOGLOST').observed).toBe(false);
    await machine.released();
    expect(machine.held).toBe(false);
  });
});
