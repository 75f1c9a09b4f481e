import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  BUS,
  CLOCK,
  definePlugin,
  provide,
  token,
  VIRTUAL_MACHINE,
  type Bus,
  type Clock,
  type Domain,
  type Module,
  type Plugin,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';
import type { ScriptedMachine } from '../scriptedMachine.js';
import { cases } from '../../../../test/long.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const CYCLES = cases(200, 2000);

interface Pin {
  use(): Disposable;
}
const PIN = token<Pin>('test:LEAKS_PIN');

/** Everything that a plugin can have of a domain, and a weak reference to each instance. */
function hungry(instances: WeakRef<object>[], failing = false): Plugin {
  @injectable()
  class Hungry implements Pin, Module {
    readonly ballast = new Float64Array(1024);

    constructor(
      @inject(BUS) private readonly bus: Bus,
      @inject(CLOCK) private readonly clock: Clock,
      @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    ) {
      instances.push(new WeakRef(this));
    }

    async start(): Promise<void> {
      await Promise.resolve();
      this.bus.on('EVT_VMEXITED', () => void this.ballast.fill(1));
      this.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
      this.clock.every(1e9, () => void this.ballast.fill(2));
      this.clock.after(1e12, () => void this.ballast.fill(3));
      this.machine.observe('exited', () => void this.ballast.fill(4));
      if (failing) throw new Error('broken');
    }

    use(): Disposable {
      return { [Symbol.dispose]: () => void this.ballast.fill(5) };
    }
  }
  return definePlugin({
    name: 'hungry',
    version: '1.0.0',
    rmk: '*',
    requires: [VIRTUAL_MACHINE],
    provides: [provide(PIN, Hungry)],
  })();
}

function user(): Plugin {
  @injectable()
  class User implements Module {
    constructor(@inject(PIN) private readonly pin: Pin) {}

    start(): void {
      this.pin.use();
    }
  }
  return definePlugin({ name: 'user', version: '1.0.0', rmk: '*', requires: [PIN], modules: [User] })();
}

/** What is alive after all that can be collected was. Weak references are cleared between turns of the event loop. */
async function alive(instances: readonly WeakRef<object>[]): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  return instances.filter((instance) => instance.deref() !== undefined).length;
}

async function expectNothingLeft(
  domain: Domain,
  machine: ScriptedMachine,
  instances: readonly WeakRef<object>[],
  timersBefore: number,
): Promise<void> {
  expect(instances).toHaveLength(CYCLES);
  expect(await alive(instances)).toBe(0);
  expect(machine.liveTimers).toBe(0);
  expect(machine.liveObservers).toBe(0);
  expect(domain.bus.topic('EVT_VMEXITED').observed).toBe(false);
  expect(domain.plugins.map(({ name }) => name)).toEqual(['resident']);
  expect(machine.held).toBe(false);
  // Those of the test runner come and go.
  expect(hostTimers()).toBeLessThan(timersBefore + CYCLES / 10);
}

function hostTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

describe(`${CYCLES} times over`, () => {
  it('a plugin and one that uses it are installed, used and removed, and nothing of them is left', async () => {
    const instances: WeakRef<object>[] = [];
    const { domain, machine } = await domainOf([plugin('resident')]);
    const timersBefore = hostTimers();
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      await domain.install(hungry(instances));
      await domain.install(user());
      domain.get(PIN).use()[Symbol.dispose]();
      domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
      await domain.remove('hungry', { dependants: 'remove' });
    }
    await expectNothingLeft(domain, machine, instances, timersBefore);
  });

  it('a plugin fails to start, and nothing of it is left', async () => {
    const instances: WeakRef<object>[] = [];
    const { domain, machine } = await domainOf([plugin('resident')]);
    const timersBefore = hostTimers();
    for (let cycle = 0; cycle < CYCLES; cycle++) await errorOf(domain.install(hungry(instances, true)));
    await expectNothingLeft(domain, machine, instances, timersBefore);
  });

  it('a plugin is restarted, and nothing of its earlier lives is left', async () => {
    const instances: WeakRef<object>[] = [];
    const { domain, machine } = await domainOf([hungry(instances)]);
    for (let cycle = 1; cycle < CYCLES; cycle++) await domain.restart('hungry');
    expect(instances).toHaveLength(CYCLES);
    expect(await alive(instances)).toBe(1);
    expect(machine.liveTimers).toBe(2);
    expect(machine.liveObservers).toBe(1);
    expect(domain.plugins).toMatchObject([
      { restarts: CYCLES - 1, registered: ['EVT_VMEXITED', 'timer', 'timer', 'fact exited'] },
    ]);
  });

  it('the test detects an object that is kept', async () => {
    const instances: WeakRef<object>[] = [];
    const { domain } = await domainOf([plugin('resident')]);
    await domain.install(hungry(instances));
    const kept = domain.get(PIN);
    await domain.remove('hungry');
    expect(await alive(instances)).toBe(1);
    expect(() => kept.use()).toThrow('RMK_ERR_INACTIVE');
  });
});
