import 'reflect-metadata';
import { BUS, definePlugin, type Bus, type Duration, type Module, type Plugin } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

const timeouts = { start: '5ms', stop: '5ms' } as const;

interface Slow {
  readonly plugin: Plugin;
  readonly log: string[];
  readonly finish: () => void;
}

/** A plugin whose `start` or `stop` ends when `finish` is called. */
function slow(where: 'start' | 'stop'): Slow {
  const log: string[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  @injectable()
  class Slow implements Module {
    constructor(@inject(BUS) private readonly bus: Bus) {}

    async start(): Promise<void> {
      if (where === 'start') await finished;
      log.push('started');
      this.bus.on('EVT_VMEXITED', () => {});
    }

    async stop(): Promise<void> {
      if (where === 'stop') await finished;
      log.push('stopped');
    }
  }
  return {
    plugin: definePlugin({ name: 'slow', version: '1.0.0', rmk: '*', modules: [Slow] })(),
    log,
    finish,
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a schema of options that never settles', () => {
  const options = {
    '~standard': { version: 1, vendor: 'test', validate: () => new Promise<never>(() => {}) },
  } as const;
  const hanging = definePlugin({ name: 'hanging', version: '1.0.0', rmk: '*', options });
  const refusal =
    "RMK_ERR_TIMEOUT: hanging: the schema of its options has not finished within 5ms of host time. The plugin's author must fix it.";

  it('is refused when the domain is made', async () => {
    expect((await errorOf(domainOf([hanging({})], { timeouts }))).message).toBe(refusal);
  });

  it('does not keep a domain from anything when it is installed', async () => {
    const { domain, machine } = await domainOf([plugin('fine')], { timeouts });
    expect((await errorOf(domain.install(hanging({})))).message).toBe(refusal);
    await machine.run(100);
    expect(domain.clock.now()).toBe(100);
    await domain.remove('fine');
    await domain.stop();
  });
});

describe('a start that takes too long', () => {
  it('is refused, naming plugin and class, and the others are stopped', async () => {
    const { plugin: tooSlow } = slow('start');
    const error = await errorOf(domainOf([plugin('fine'), tooSlow], { timeouts }));
    expect(error.code).toBe('RMK_ERR_TIMEOUT');
    expect(error.plugin).toBe('slow');
    expect(error.message).toBe(
      'RMK_ERR_TIMEOUT: slow: start() of Slow has not finished within 5ms of host time: ' +
        'let it set a timer or a subscription for what takes long, or raise timeouts.start',
    );
  });

  it('stays failed if it finishes later', async () => {
    const { plugin: tooSlow, log, finish } = slow('start');
    const faults: string[] = [];
    const { domain } = await domainOf([], { timeouts });
    domain.bus.on(
      'EVT_PLUGINFAULT',
      ({ plugin: name, during, error }) => void faults.push(`${name} ${during} ${String(error)}`),
    );
    await errorOf(domain.install(tooSlow));
    finish();
    await settled();
    expect(log).toEqual(['started']);
    expect(domain.bus.topic('EVT_VMEXITED').observed).toBe(false);
    expect(faults).toEqual([
      'slow start RmkError: RMK_ERR_STATE: slow is stopped and cannot register EVT_VMEXITED. Stop everything that it runs in the background.',
    ]);
  });

  it('is stopped when it finishes after all and had no need of the domain', async () => {
    const log: string[] = [];
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    class Late implements Module {
      start = (): Promise<void> => finished;
      stop = (): void => void log.push('stopped');
    }
    const late = definePlugin({
      name: 'late',
      version: '1.0.0',
      rmk: '*',
      modules: [Late],
      onFailure: 'continue',
    })();
    const { domain } = await domainOf([late], { timeouts });
    expect(domain.plugins).toMatchObject([{ state: 'failed', error: { code: 'RMK_ERR_TIMEOUT' } }]);
    finish();
    await settled();
    expect(log).toEqual(['stopped']);
    expect(domain.plugins).toMatchObject([{ state: 'failed' }]);
  });
});

/** Hangs in its handler. */
const stuck = plugin('stuck', (bus) => void bus.on('EVT_VMEXITED', () => new Promise<void>(() => {})));

describe('a stop that takes too long', () => {
  it('is reported with plugin and class, and the others are stopped all the same', async () => {
    const { plugin: tooSlow } = slow('stop');
    const { domain } = await domainOf([plugin('fine'), tooSlow], { timeouts });
    const error = await errorOf(domain.stop());
    expect(error.code).toBe('RMK_ERR_TIMEOUT');
    expect(error.message).toContain('slow: stop() of Slow has not finished within 5ms of host time');
    expect(domain.plugins).toEqual([]);
    expect(domain.bus.topic('EVT_VMEXITED').observed).toBe(false);
  });

  it('because of a handler that does not end is reported, and the plugin is removed nevertheless', async () => {
    const { domain, machine } = await domainOf([stuck], { timeouts });
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    const error = await errorOf(domain.remove('stuck'));
    expect(error.message).toContain(
      'RMK_ERR_TIMEOUT: stuck: what it began in EVT_VMEXITED has not finished within 5ms',
    );
    expect(domain.plugins).toEqual([]);
    // Nobody waits for it any longer: the guest runs on.
    await machine.run(100);
    expect(domain.clock.now()).toBe(100);
  });

  it('because of a handler that never settles lets the guest run on once the plugin is restarted', async () => {
    const faults: string[] = [];
    const { domain, machine } = await domainOf([stuck], { timeouts });
    domain.bus.on('EVT_PLUGINFAULT', ({ during, error }) => void faults.push(`${during}: ${String(error)}`));
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    await domain.restart('stuck');
    expect(domain.plugins).toMatchObject([{ state: 'active', restarts: 1 }]);
    expect(faults).toEqual([
      'stop: RmkError: RMK_ERR_TIMEOUT: stuck: what it began in EVT_VMEXITED has not finished within 5ms of host time, and the kernel stopped waiting. Fix it, or raise timeouts.stop.',
    ]);
    await machine.run(100);
    expect(domain.clock.now()).toBe(100);
  });
});

it.each(['0s', 'soon', '9999h', 10])('a limit of %o is refused', async (limit) => {
  const error = await errorOf(domainOf([], { timeouts: { start: limit as Duration } }));
  expect(error.message).toBe(
    `RMK_ERR_INPUT: createDomain: invalid options: timeouts.start: expected a duration above zero such as 50ms, 1.5s or 2min, at most 24 days, given ${JSON.stringify(limit)}`,
  );
});
