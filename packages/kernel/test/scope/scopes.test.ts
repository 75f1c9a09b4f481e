import 'reflect-metadata';
import { definePlugin, VIRTUAL_MACHINE, type Clock, type VirtualMachine } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { Hold } from '../../src/scope/hold.js';
import { Scope, type Watch } from '../../src/scope/scope.js';
import { Stopwatch } from '../../src/supervision/stopwatch.js';
import { domainOf, errorOf, plugin } from '../testDomain.js';

describe('the clock of a plugin', () => {
  it('shows domain time and runs timers at their instants', async () => {
    const log: string[] = [];
    const { machine } = await domainOf([
      plugin('a', (_, clock) => {
        clock.after(15, () => void log.push(`once at ${clock.now()}`));
        clock.every(10, () => void log.push(`again at ${clock.now()}`));
      }),
    ]);
    await machine.run(30);
    expect(log).toEqual(['again at 10', 'once at 15', 'again at 20', 'again at 30']);
  });

  it('counts a timer as registered until it has run or was disposed of', async () => {
    const clocks: Clock[] = [];
    const { domain, machine } = await domainOf([plugin('a', (_, clock) => void clocks.push(clock))]);
    const registered = () => domain.plugins.map((status) => status.registered.length);
    clocks[0]?.after(10, () => {});
    const every = clocks[0]?.every(10, () => {});
    expect(registered()).toEqual([2]);
    await machine.run(10);
    expect(registered()).toEqual([1]);
    every?.[Symbol.dispose]();
    expect(registered()).toEqual([0]);
    expect(machine.liveTimers).toBe(0);
  });

  it.each([
    ['after', -1],
    ['after', NaN],
    ['every', 0],
    ['every', 0.5],
    ['every', Infinity],
  ] as const)('refuses %s(%d)', async (method, ns) => {
    const { domain } = await domainOf([]);
    expect(() => domain.clock[method](ns, () => {})).toThrow(/RMK_ERR_INPUT: .*expected/);
  });
});

describe('a scope that closes', () => {
  it('releases the newest first, and nothing twice', () => {
    const released: string[] = [];
    const watch: Watch = {
      stopwatch: new Stopwatch(),
      fault() {},
      took() {},
      waits: () => ({ [Symbol.dispose]() {} }),
    };
    const scope = new Scope('a', new Hold(), watch);
    const registrations = ['first', 'second', 'third'].map((label) =>
      scope.register(label, () => ({ [Symbol.dispose]: () => void released.push(label) })),
    );
    expect(scope.registered).toEqual(['first', 'second', 'third']);
    registrations[1]?.[Symbol.dispose]();
    scope.close('stopped');
    registrations[0]?.[Symbol.dispose]();
    expect(released).toEqual(['second', 'third', 'first']);
    expect(scope.registered).toEqual([]);
  });
});

describe('the VM as a plugin sees it', () => {
  @injectable()
  class Pin {
    constructor(@inject(VIRTUAL_MACHINE) readonly machine: VirtualMachine) {}

    start(): void {
      this.machine.observe('exited', ({ code }) => {
        if (code !== 0) throw new Error(`exited with ${code}`);
      });
    }
  }
  const pin = definePlugin({
    name: 'pin',
    version: '1.0.0',
    rmk: '*',
    requires: [VIRTUAL_MACHINE],
    modules: [Pin],
  })();

  it('keeps faults of an observer from the driver', async () => {
    const { domain, machine } = await domainOf([pin]);
    const faults: string[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin: name, during }) => void faults.push(`${name}: ${during}`));
    machine.emit('exited', { atNs: 0, code: 0 });
    machine.emit('exited', { atNs: 0, code: 1 });
    expect(faults).toEqual(['pin: fact exited']);
  });

  it('releases its observers with the plugin', async () => {
    const { domain, machine } = await domainOf([pin]);
    expect(domain.plugins).toMatchObject([{ registered: ['fact exited'] }]);
    expect(machine.liveObservers).toBe(1);
    await domain.remove('pin');
    expect(machine.liveObservers).toBe(0);
  });

  it('passes all else to the driver, except for the hold', async () => {
    const seen: VirtualMachine[] = [];
    @injectable()
    class Curious {
      constructor(@inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine) {}

      start(): void {
        seen.push(this.machine);
      }
    }
    const { domain } = await domainOf([
      definePlugin({
        name: 'a',
        version: '1.0.0',
        rmk: '*',
        requires: [VIRTUAL_MACHINE],
        modules: [Curious],
      })(),
    ]);
    const [machine] = seen;
    if (machine === undefined) throw new Error('not constructed');
    expect(machine.name).toBe('scripted');
    expect(machine.clock.now()).toBe(0);
    expect((await errorOf(machine.restart())).message).toContain('has no guest');
    expect(() => machine.holdWhile(() => undefined)).toThrow('RMK_ERR_STATE: a: ');
    await domain.remove('a');
    // What is left of a plugin has no hold of the guest any more.
    expect(() => machine.suspend()).toThrow(
      'RMK_ERR_STATE: a is stopped and cannot call VIRTUAL_MACHINE.suspend',
    );
  });
});
