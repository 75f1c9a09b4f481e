import 'reflect-metadata';
import {
  provide,
  token,
  VIRTUAL_MACHINE,
  type Domain,
  type Duration,
  type Plugin,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it, vi } from 'vitest';
import { ScriptedMachine } from '../scriptedMachine.js';
import { domainOf, errorOf, plugin } from '../testDomain.js';

/** Fails each 10 ns until `well` says otherwise. */
function ailing(well: () => boolean = () => false): Plugin {
  return plugin('ailing', (_, clock) => {
    clock.every(10, () => {
      if (!well()) throw new Error('broken');
    });
  });
}

/** When the plugin was quarantined, and when it was active again. */
async function historyOf(one: Plugin, forNs: number): Promise<readonly string[]> {
  const history: string[] = [];
  const { domain, machine } = await domainOf([one], {
    supervision: { quarantineAfterFaults: 1, restartAfter: '100ns' },
    observe: (bus) => {
      bus.on('EVT_PLUGINCHANGED', ({ atNs, to }) => {
        if (to === 'quarantined' || to === 'active') history.push(`${to} ${atNs}`);
      });
    },
  });
  await machine.run(forNs);
  await domain.stop();
  expect(machine.liveTimers).toBe(0);
  return history;
}

/** A plugin that requires the VM, as pins do, and hands it out. */
class Port {
  machine: VirtualMachine = new ScriptedMachine();
  readonly plugin: Plugin;

  constructor() {
    const handOut = (machine: VirtualMachine): void => void (this.machine = machine);
    @injectable()
    class Holder {
      constructor(@inject(VIRTUAL_MACHINE) private readonly vm: VirtualMachine) {}

      start(): void {
        handOut(this.vm);
      }
    }
    this.plugin = plugin('port', () => {}, { requires: [VIRTUAL_MACHINE], modules: [Holder] });
  }
}

class RealPin {
  readonly id = 1;
}

describe('a plugin whose restart by the kernel fails', () => {
  it.each(['abort', 'continue', 'quarantine'] as const)(
    'is retried with backoff, although its onFailure is %s, and so are its dependants',
    async (onFailure) => {
      let starts = 0;
      const PIN = token<object>('test:BACKOFF_PIN');
      const pin = plugin(
        'pin',
        (bus) => {
          starts += 1;
          if (starts === 2) throw new Error('not yet');
          bus.on('EVT_VMEXITED', () => {
            throw new Error('broken');
          });
        },
        { onFailure, provides: [provide(PIN, RealPin)] },
      );
      const user = plugin('user', () => {}, { requires: [PIN] });
      const { domain, machine } = await domainOf([pin, user], {
        supervision: { quarantineAfterFaults: 1, restartAfter: '100ns' },
      });
      const states = (): readonly string[] => domain.plugins.map(({ name, state }) => `${name} ${state}`);
      domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
      await machine.run(150);
      expect(states()).toEqual(['pin quarantined', 'user failed']);
      await machine.run(200);
      expect(states()).toEqual(['pin active', 'user active']);
      expect(starts).toBe(3);
      await domain.stop();
    },
  );

  it('is reported by remove() if it optionally used something of the removed plugin, and is retried too', async () => {
    const PIN = token<object>('test:TAKEN_PIN');
    let starts = 0;
    const pin = plugin('pin', () => {}, { provides: [provide(PIN, RealPin)] });
    const user = plugin(
      'user',
      () => {
        starts += 1;
        if (starts === 2) throw new Error('not without it');
      },
      { optional: [PIN] },
    );
    const { domain, machine } = await domainOf([pin, user], { supervision: { restartAfter: '100ns' } });
    const error = await errorOf(domain.remove('pin'));
    expect(error).toMatchObject({ code: 'RMK_ERR_START', plugin: 'user' });
    expect(domain.plugins).toMatchObject([{ name: 'user', state: 'quarantined' }]);
    await machine.run(150);
    expect(domain.plugins).toMatchObject([{ name: 'user', state: 'active' }]);
    await domain.stop();
  });

  it('is kept apart by remove() from what failed to stop', async () => {
    const PIN = token<object>('test:HELD_PIN');
    class Unstoppable {
      readonly id = 1;
      stop(): void {
        throw new Error('jammed');
      }
    }
    const pin = plugin('pin', () => {}, { provides: [provide(PIN, Unstoppable)] });
    let starts = 0;
    const start = (): void => {
      starts += 1;
      if (starts === 2) throw new Error('not without it');
    };
    const { domain } = await domainOf([pin, plugin('user', start, { optional: [PIN] })]);
    const error = await errorOf(domain.remove('pin'));
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.reason).toBe(
      'pin was removed, with 1 failure while stopping; 1 plugin that used something of it failed to start again',
    );
    expect(error.problems).toMatchObject([
      { code: 'RMK_ERR_STOP', plugin: 'pin', message: 'pin: stop() of Unstoppable threw: jammed' },
      { plugin: 'user', message: 'user: start() of Scripted threw: not without it' },
    ]);
    await domain.stop();
  });
});

describe('a plugin that is quarantined', () => {
  it('is started again after a while, and after twice as long each time', async () => {
    expect(await historyOf(ailing(), 800)).toEqual([
      'active 0',
      'quarantined 10',
      'active 110',
      'quarantined 120',
      'active 320',
      'quarantined 330',
      'active 730',
      'quarantined 740',
    ]);
  });

  it('waits no longer than 64 times as long', async () => {
    const history = await historyOf(ailing(), 40_000);
    const waits = history.flatMap((entry, index) => {
      if (!entry.startsWith('active') || index === 0) return [];
      return [Number(entry.split(' ')[1]) - Number(history[index - 1]?.split(' ')[1])];
    });
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 6400, 6400, 6400, 6400]);
  });

  it('waits as long as at first after it was healthy for as long as its last wait', async () => {
    let calls = 0;
    // Well from its third start on, for 500 ns.
    const recovered = ailing(() => (calls += 1) > 2 && calls < 53);
    const history = await historyOf(recovered, 1100);
    expect(history.slice(0, 5)).toEqual([
      'active 0',
      'quarantined 10',
      'active 110',
      'quarantined 120',
      'active 320',
    ]);
    const [, again = ''] = history[5]?.split(' ') ?? [];
    expect(history.slice(5)).toEqual([
      `quarantined ${again}`,
      `active ${Number(again) + 100}`,
      `quarantined ${Number(again) + 110}`,
    ]);
  });

  it('is restarted with those that use it only, and starts without faults', async () => {
    let isWell = false;
    const { domain, machine } = await domainOf([ailing(() => isWell), plugin('other')], {
      supervision: { quarantineAfterFaults: 3, restartAfter: '100ns' },
    });
    await machine.run(30);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined', faults: 3 }, { restarts: 0 }]);
    isWell = true;
    await machine.run(1000);
    expect(domain.plugins).toMatchObject([
      { name: 'other', state: 'active', restarts: 0 },
      { name: 'ailing', state: 'active', restarts: 1, faults: 0 },
    ]);
  });

  it('is not restarted with restartAfter never, but can be by hand', async () => {
    let isWell = false;
    const { domain, machine } = await domainOf([ailing(() => isWell)], {
      supervision: { quarantineAfterFaults: 1, restartAfter: 'never' },
    });
    await machine.run(1e12);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined', restarts: 0 }]);
    isWell = true;
    await domain.restart('ailing');
    expect(domain.plugins).toMatchObject([{ state: 'active', restarts: 1 }]);
  });

  it('that was restarted by hand or removed is not restarted a second time', async () => {
    let isWell = false;
    const { domain, machine } = await domainOf([ailing(() => isWell)], {
      supervision: { quarantineAfterFaults: 1, restartAfter: '100ns' },
    });
    await machine.run(10);
    isWell = true;
    await domain.restart('ailing');
    await machine.run(1000);
    expect(domain.plugins).toMatchObject([{ restarts: 1 }]);
    isWell = false;
    await machine.run(10);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined' }]);
    await domain.remove('ailing');
    expect(machine.liveTimers).toBe(0);
  });
});

describe('while the VM is suspended, a quarantined plugin', () => {
  async function start() {
    const port = new Port();
    const { domain, machine } = await domainOf([port.plugin, ailing()], {
      supervision: { quarantineAfterFaults: 1, restartAfter: '1ms' },
    });
    return { domain, machine, vm: port.machine };
  }
  const ailingOf = ({ plugins }: Domain) => plugins.find(({ name }) => name === 'ailing');

  /** Its plugin is quarantined, and 1 ms of domain time is left of its wait. */
  async function quarantined() {
    const started = await start();
    await started.machine.run(10);
    expect(ailingOf(started.domain)).toMatchObject({ state: 'quarantined', restarts: 0 });
    return started;
  }
  const passes = (hostMs: number) => new Promise((resolve) => setTimeout(resolve, hostMs));

  it('is started again when its wait has passed in host time', async () => {
    const { domain, machine, vm } = await quarantined();
    await vm.suspend();
    await vi.waitFor(() => expect(ailingOf(domain)).toMatchObject({ state: 'active', restarts: 1 }));
    expect(machine.clock.now()).toBe(10);
    await domain.stop();
    expect(machine.liveTimers).toBe(0);
  });

  it('keeps the process alive until then, and no longer than its domain', async () => {
    // Only what keeps the event loop alive is listed.
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const { domain, vm } = await quarantined();
    const before = timers();
    await vm.suspend();
    expect(timers()).toBe(before + 1);
    await domain.stop();
    expect(timers()).toBe(before);
  });

  it('is started again too if the VM was suspended before', async () => {
    const { domain, machine, vm } = await start();
    await vm.suspend();
    await machine.run(10);
    await vi.waitFor(() => expect(ailingOf(domain)).toMatchObject({ state: 'active', restarts: 1 }));
    await domain.stop();
  });

  it.each(['resumed', 'removed'] as const)('is not restarted once the VM or it is %s', async (what) => {
    const { domain, machine, vm } = await quarantined();
    const restarts: number[] = [];
    domain.bus.on('EVT_PLUGINCHANGED', ({ to, atNs }) => void (to === 'starting' && restarts.push(atNs)));
    await vm.suspend();
    if (what === 'resumed') await vm.resume();
    else await domain.remove('ailing');
    await passes(10);
    expect(restarts).toEqual([]);
    await machine.run(1e6);
    expect(restarts).toEqual(what === 'resumed' ? [1e6 + 10] : []);
    await domain.stop();
  });

  it('waits as long as a handler is pending', async () => {
    const { domain, vm } = await quarantined();
    let finish = (): void => {};
    domain.bus.on('EVT_ERRORDETECTED', () => new Promise<void>((resolve) => (finish = resolve)));
    domain.bus.topic('EVT_ERRORDETECTED').publish({ atNs: 10, kind: 'hang', cause: 'silent' });
    await vm.suspend();
    await passes(10);
    expect(ailingOf(domain)).toMatchObject({ state: 'quarantined' });
    finish();
    await vi.waitFor(() => expect(ailingOf(domain)).toMatchObject({ restarts: 1 }));
    await domain.stop();
  });
});

it.each(['0ms', 'soon', 5])('a wait of %o is refused', async (restartAfter) => {
  const error = await errorOf(domainOf([], { supervision: { restartAfter: restartAfter as Duration } }));
  expect(error.message).toBe(
    `RMK_ERR_INPUT: createDomain: invalid options: supervision.restartAfter: expected a duration above zero such as 50ms, 1.5s or 2min, or 'never', given ${JSON.stringify(restartAfter)}`,
  );
});

it('a restart needs a plugin of that name, and a domain that has not stopped', async () => {
  const { domain } = await domainOf([plugin('a')]);
  expect((await errorOf(domain.restart('b'))).code).toBe('RMK_ERR_UNKNOWN');
  await domain.stop();
  expect((await errorOf(domain.restart('a'))).code).toBe('RMK_ERR_STATE');
});
