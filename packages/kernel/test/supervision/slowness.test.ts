import 'reflect-metadata';
import { definePlugin, VIRTUAL_MACHINE, type Duration, type RmkEvent, type VirtualMachine } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

const supervision = { handlerBudget: '20ms' } as const;
const exited = { atNs: 0, code: 0 };

/** Host time, which only passes where a test says so. */
let hostMs = 0;
beforeEach(() => {
  hostMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => hostMs);
});
afterEach(() => void vi.restoreAllMocks());

function takes(forMs: number): void {
  hostMs += forMs;
}

async function slowOf(...plugins: Parameters<typeof domainOf>[0]) {
  const slow: RmkEvent<'EVT_PLUGINSLOW'>[] = [];
  const { domain, machine } = await domainOf(plugins, {
    supervision,
    observe: (bus) => void bus.on('EVT_PLUGINSLOW', (event) => void slow.push(event)),
  });
  const reports = (): readonly string[] =>
    slow.map(({ plugin: name, during, tookHostMs }) => `${name} ${during} ${tookHostMs}`);
  const exit = (): void => domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
  return { domain, machine, slow, reports, exit };
}

describe('code that holds the guest for too long is reported', () => {
  it('with the plugin, what ran, the event, the duration and the budget', async () => {
    const { slow, exit } = await slowOf(
      plugin('slow', (bus) => void bus.on('EVT_VMEXITED', () => takes(30))),
      plugin('fast', (bus) => void bus.on('EVT_VMEXITED', () => takes(20))),
    );
    exit();
    expect(slow).toEqual([
      {
        atNs: 0,
        plugin: 'slow',
        during: 'EVT_VMEXITED',
        occurrence: 1,
        tookHostMs: 30,
        budgetHostMs: 20,
        times: 1,
        source: 'kernel',
        sequence: 1,
      },
    ]);
  });

  it('if a promise holds the VM', async () => {
    const { machine, reports, exit } = await slowOf(
      plugin('slow', (bus) => {
        bus.on('EVT_VMEXITED', async () => {
          await Promise.resolve();
          takes(30);
        });
      }),
    );
    exit();
    await machine.released();
    expect(reports()).toEqual(['slow EVT_VMEXITED 30']);
  });

  it('while a promise that never settles is pending', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    try {
      const { domain, slow, exit } = await slowOf(
        plugin('hung', (bus) => void bus.on('EVT_VMEXITED', () => new Promise<void>(() => {}))),
        plugin('brief', (bus) => void bus.on('EVT_VMEXITED', async () => {})),
      );
      const warnings: string[] = [];
      domain.bus.on('EVT_WARNING', ({ code, message }) => void warnings.push(`${code}: ${message}`));
      exit();
      await vi.advanceTimersByTimeAsync(199);
      expect(slow).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(slow).toMatchObject([
        { plugin: 'hung', during: 'EVT_VMEXITED', occurrence: 1, tookHostMs: 200, isPending: true },
      ]);
      expect(warnings).toEqual([
        'RMK_WARN_HELD: hung has held the VM scripted for 200 ms of host time: its handler of EVT_VMEXITED has not finished. A handler must not await domain time, which is paused meanwhile: use clock.after. Remove or restart the plugin to release the VM.',
      ]);
      // The process stays alive meanwhile.
      expect(vi.getTimerCount()).toBe(1);
      const stopped = errorOf(domain.stop());
      await vi.advanceTimersByTimeAsync(10_000);
      expect((await stopped).code).toBe('RMK_ERR_TIMEOUT');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('if a timer or a fact observer is slow', async () => {
    @injectable()
    class Pin {
      constructor(@inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine) {}

      start(): void {
        this.machine.observe('exited', () => takes(40));
      }
    }
    const pin = definePlugin({
      name: 'pin',
      version: '1.0.0',
      rmk: '*',
      requires: [VIRTUAL_MACHINE],
      modules: [Pin],
    });
    const { machine, reports } = await slowOf(
      pin(),
      plugin('slow', (_, clock) => void clock.after(10, () => takes(30))),
    );
    await machine.run(10);
    machine.emit('exited', exited);
    expect(reports()).toEqual(['slow timer 30', 'pin fact exited 40']);
  });

  it('even if it throws', async () => {
    const { domain, reports, exit } = await slowOf(
      plugin('slow', (bus) => {
        bus.on('EVT_VMEXITED', () => {
          takes(30);
          throw new Error('broken');
        });
      }),
    );
    exit();
    expect(reports()).toEqual(['slow EVT_VMEXITED 30']);
    expect(domain.plugins).toMatchObject([{ faults: 1, state: 'active' }]);
  });

  it('but not who set it off by an event', async () => {
    const { machine, reports } = await slowOf(
      plugin('publisher', (bus, clock) => {
        clock.after(10, () => {
          takes(5);
          bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
          takes(5);
        });
      }),
      plugin('slow', (bus) => void bus.on('EVT_LOGLOST', () => takes(30))),
    );
    await machine.run(10);
    expect(reports()).toEqual(['slow EVT_LOGLOST 30']);
  });

  it('and nothing else comes of it', async () => {
    const { domain, exit } = await slowOf(
      plugin('slow', (bus) => void bus.on('EVT_VMEXITED', () => takes(30))),
    );
    const numbers: number[] = [];
    domain.bus.on('EVT_VMEXITED', ({ sequence }) => void numbers.push(sequence));
    for (let time = 0; time < 50; time++) exit();
    // Host time numbers no event of those that it has no say in.
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(domain.plugins).toMatchObject([{ faults: 0, state: 'active' }]);
  });
});

describe('a module that is slow all the time', () => {
  it('is reported once a second for each thing that it does, with the number of occurrences', async () => {
    const { slow, exit, domain } = await slowOf(
      plugin('slow', (bus) => {
        bus.on('EVT_VMEXITED', () => takes(300));
        bus.on('EVT_LOGLOST', () => takes(300));
      }),
    );
    for (let time = 0; time < 8; time++) exit();
    domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
    expect(slow.map(({ during, times }) => `${during} ${times}`)).toEqual([
      'EVT_VMEXITED 1',
      'EVT_VMEXITED 5',
      'EVT_LOGLOST 9',
    ]);
  });

  it.each([30, 3000])(
    'is reported once for a handler of EVT_PLUGINSLOW that is slow itself, by %d ms',
    async (ms) => {
      const { reports, exit } = await slowOf(
        plugin('slow', (bus) => {
          bus.on('EVT_VMEXITED', () => takes(30));
          bus.on('EVT_PLUGINSLOW', () => takes(ms));
        }),
      );
      exit();
      expect(reports()).toEqual(['slow EVT_VMEXITED 30', `slow EVT_PLUGINSLOW ${ms}`]);
    },
  );
});

describe('an event that comes very often', () => {
  it('is timed at intervals, so code that is always slow is noticed soon', async () => {
    let delivered = 0;
    const { slow, exit } = await slowOf(
      plugin('slow', (bus) => {
        bus.on('EVT_VMEXITED', () => {
          delivered += 1;
          if (delivered > 10_000) takes(30);
        });
      }),
    );
    while (slow.length === 0) exit();
    expect(delivered).toBeGreaterThan(10_000);
    expect(delivered).toBeLessThanOrEqual(10_000 + 4096);
  });
});

it.each(['0ms', 'soon', 20])('a budget of %o is refused', async (handlerBudget) => {
  const error = await errorOf(domainOf([], { supervision: { handlerBudget: handlerBudget as Duration } }));
  expect(error.message).toBe(
    `RMK_ERR_INPUT: createDomain: invalid options: supervision.handlerBudget: expected a duration above zero such as 50ms, 1.5s or 2min, given ${JSON.stringify(handlerBudget)}`,
  );
});
