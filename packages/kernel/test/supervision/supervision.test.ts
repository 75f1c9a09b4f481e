import { onDiagnostic, type Duration, type RmkEvent } from '@rmk/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';
import { ScriptedMachine } from '../scriptedMachine.js';
import { createDomain } from '@rmk/kernel';

const exited = { atNs: 0, code: 0 };

describe('a handler that throws', () => {
  it('stops neither the others nor the publisher, and is reported', async () => {
    const error = new Error('broken');
    const calls: string[] = [];
    const { domain } = await domainOf([
      plugin('bad', (bus) => {
        bus.on('EVT_VMEXITED', () => {
          throw error;
        });
      }),
      plugin('good', (bus) => void bus.on('EVT_VMEXITED', () => void calls.push('good'))),
    ]);
    const faults: RmkEvent<'EVT_PLUGINFAULT'>[] = [];
    domain.bus.on('EVT_PLUGINFAULT', (event) => void faults.push(event));
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(calls).toEqual(['good']);
    expect(faults).toEqual([
      {
        atNs: 0,
        plugin: 'bad',
        during: 'EVT_VMEXITED',
        occurrence: 1,
        error,
        faults: 1,
        source: 'kernel',
        sequence: 2,
      },
    ]);
    expect(domain.plugins.map(({ name, faults: count }) => [name, count])).toEqual([
      ['bad', 1],
      ['good', 0],
    ]);
  });

  it('is reported if its promise is rejected', async () => {
    const { domain, machine } = await domainOf([
      plugin('bad', (bus) => {
        bus.on('EVT_VMEXITED', async () => {
          await Promise.resolve();
          throw new Error('later');
        });
      }),
    ]);
    const faults: string[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin: name, during, occurrence, error }) => {
      faults.push(`${name} ${during} ${occurrence} ${String(error)}`);
    });
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(faults).toEqual([]);
    await machine.released();
    expect(faults).toEqual(['bad EVT_VMEXITED 1 Error: later']);
  });

  it('may throw something other than an error, and return something that only looks like a promise', async () => {
    const { domain, machine } = await domainOf([
      plugin('odd', (bus) => {
        bus.on('EVT_VMEXITED', () => {
          throw undefined as unknown as Error;
        });
        bus.on(
          'EVT_VMEXITED',
          () =>
            ({
              // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what is tested
              get then(): never {
                throw new Error('no promise');
              },
            }) as unknown as Promise<void>,
        );
        bus.on('EVT_VMEXITED', () => 5 as unknown as undefined);
      }),
    ]);
    const errors: unknown[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ error }) => void errors.push(error));
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    await machine.released();
    expect(errors).toEqual([undefined, new Error('no promise')]);
  });
});

describe('faults outside of handlers', () => {
  it('of a timer are reported', async () => {
    const { domain, machine } = await domainOf([
      plugin('bad', (_, clock) => {
        clock.after(10, () => {
          throw new Error('at once');
        });
        clock.after(20, () => Promise.reject(new Error('later')));
      }),
    ]);
    const faults: string[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ atNs, during, occurrence, error }) => {
      faults.push(`${atNs} ${during} ${occurrence} ${String(error)}`);
    });
    await machine.run(30);
    expect(faults).toEqual(['10 timer 0 Error: at once', '20 timer 0 Error: later']);
  });

  it('of a timer that runs too often to time each run are reported too', async () => {
    // No time passes on the host between two runs, so few are timed.
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => now.mockRestore());
    let runs = 0;
    const { domain, machine } = await domainOf(
      [
        plugin('bad', (_, clock) => {
          clock.every(10, async () => {
            runs += 1;
            if (runs > 900) throw new Error('later');
          });
        }),
      ],
      { supervision: { quarantineAfterFaults: 1000 } },
    );
    await machine.run(10_000);
    expect(domain.plugins).toMatchObject([{ state: 'active', faults: 100 }]);
  });
});

describe('quarantine', () => {
  const failing = plugin('bad', (bus, clock) => {
    clock.every(10, () => {
      throw new Error('broken');
    });
    bus.on('EVT_VMEXITED', () => {});
  });

  it('releases the registrations of the plugin after this many faults, and reports it', async () => {
    const machine = new ScriptedMachine();
    const domain = await createDomain({
      name: 'test',
      machine,
      plugins: [failing],
      supervision: { quarantineAfterFaults: 3, restartAfter: 'never' },
    });
    const quarantined: unknown[] = [];
    domain.bus.on('EVT_PLUGINQUARANTINED', (event) => void quarantined.push(event));
    await machine.run(25);
    expect(domain.plugins).toMatchObject([
      { state: 'active', faults: 2, registered: ['timer', 'EVT_VMEXITED'] },
    ]);
    expect(quarantined).toEqual([]);
    await machine.run(100);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined', faults: 3, registered: [] }]);
    expect(quarantined).toEqual([{ atNs: 30, plugin: 'bad', faults: 3, source: 'kernel', sequence: 1 }]);
    expect(machine.liveTimers).toBe(0);
    expect(domain.bus.topic('EVT_VMEXITED').observed).toBe(false);
  });

  it('precedes the report of the last fault, which the plugin does not receive', async () => {
    const reported: number[] = [];
    const { machine } = await domainOf(
      [
        plugin('bad', (bus, clock) => {
          bus.on('EVT_PLUGINFAULT', ({ faults }) => void reported.push(faults));
          clock.every(10, () => {
            throw new Error('broken');
          });
        }),
      ],
      { supervision: { quarantineAfterFaults: 3 } },
    );
    await machine.run(100);
    expect(reported).toEqual([1, 2]);
  });

  it('comes at the eighth fault by default', async () => {
    const { domain, machine } = await domainOf([failing]);
    await machine.run(70);
    expect(domain.plugins).toMatchObject([{ state: 'active', faults: 7 }]);
    await machine.run(10);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined', faults: 8 }]);
  });

  it('comes when the faults lie within the window, of domain time', async () => {
    const faultWindow = '80ns';
    const { domain, machine } = await domainOf([failing], { supervision: { faultWindow } });
    await machine.run(80);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined', faults: 8 }]);
  });

  it('does not come when they lie further apart, however many there are in all', async () => {
    const faultWindow = '70ns';
    const { domain, machine } = await domainOf([failing], { supervision: { faultWindow } });
    const counts: number[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ faults }) => void counts.push(faults));
    await machine.run(1000);
    expect(domain.plugins).toMatchObject([{ state: 'active', faults: 100 }]);
    expect(counts).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it('comes when faults become more frequent, and reports their total', async () => {
    const supervision = { quarantineAfterFaults: 3, faultWindow: '1us' } as const;
    const throwing = plugin('bad', (bus) => {
      bus.on('EVT_VMEXITED', () => {
        throw new Error('broken');
      });
    });
    const { domain, machine } = await domainOf([throwing], { supervision });
    const quarantined: number[] = [];
    domain.bus.on('EVT_PLUGINQUARANTINED', ({ faults }) => void quarantined.push(faults));
    const exit = (): void => domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    for (let time = 0; time < 5; time++) {
      exit();
      await machine.run(1000);
    }
    exit();
    exit();
    expect(quarantined).toEqual([]);
    exit();
    expect(quarantined).toEqual([8]);
  });

  it('has a window of ten seconds by default', async () => {
    const slow = (intervalNs: number) =>
      plugin(`each-${intervalNs}`, (_, clock) => {
        clock.every(intervalNs, () => {
          throw new Error('broken');
        });
      });
    const supervision = { restartAfter: 'never' } as const;
    const { domain, machine } = await domainOf([slow(1.4e9), slow(1.5e9)], { supervision });
    await machine.run(60e9);
    expect(domain.plugins).toMatchObject([
      { state: 'quarantined', faults: 8 },
      { state: 'active', faults: 40 },
    ]);
  });

  it('ends a module that throws in its own handler of EVT_PLUGINFAULT', async () => {
    const { domain } = await domainOf([
      plugin('bad', (bus) => {
        bus.on('EVT_PLUGINFAULT', () => {
          throw new Error('again');
        });
        bus.on('EVT_VMEXITED', () => {
          throw new Error('first');
        });
      }),
    ]);
    const faults: number[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ faults: count }) => void faults.push(count));
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(faults).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(domain.plugins).toMatchObject([{ state: 'quarantined' }]);
  });

  it('ends two modules that set each other off', async () => {
    const throwing = (name: string) =>
      plugin(name, (bus) => {
        bus.on('EVT_PLUGINFAULT', async () => {
          await Promise.resolve();
          throw new Error(name);
        });
      });
    const { domain, machine } = await domainOf([throwing('a'), throwing('b')]);
    domain.bus.topic('EVT_PLUGINFAULT').publish({
      atNs: 0,
      plugin: 'x',
      during: 'timer',
      occurrence: 0,
      error: undefined,
      faults: 1,
    });
    await machine.released();
    expect(domain.plugins.map(({ state }) => state)).toEqual(['quarantined', 'quarantined']);
  });

  it('keeps pending handlers from registering anything', async () => {
    const { domain, machine } = await domainOf(
      [
        plugin('bad', (bus, clock) => {
          bus.on('EVT_LOGLOST', async () => {
            await new Promise((resolve) => setImmediate(resolve));
            clock.every(10, () => {});
          });
          bus.on('EVT_VMEXITED', () => {
            throw new Error('broken');
          });
        }),
      ],
      { supervision: { restartAfter: 'never' } },
    );
    const faults: string[] = [];
    domain.bus.on(
      'EVT_PLUGINFAULT',
      ({ error, faults: count }) => void faults.push(`${count} ${String(error)}`),
    );
    let quarantines = 0;
    domain.bus.on('EVT_PLUGINQUARANTINED', () => void (quarantines += 1));
    domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
    for (let fault = 1; fault <= 8; fault++) domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(domain.plugins).toMatchObject([{ state: 'quarantined' }]);
    await machine.released();
    expect(faults.at(-1)).toBe(
      '9 RmkError: RMK_ERR_STATE: bad is quarantined and cannot register timer. Stop everything that it runs in the background.',
    );
    expect(machine.liveTimers).toBe(0);
    expect(quarantines).toBe(1);
  });

  it('comes while the plugin starts, too: it does not become active then', async () => {
    const { domain, machine } = await domainOf(
      [
        plugin('bad', (bus) => {
          bus.on('EVT_VMEXITED', () => {
            throw new Error('broken');
          });
          bus.topic('EVT_VMEXITED').publish({ ...exited });
        }),
      ],
      { supervision: { quarantineAfterFaults: 1, restartAfter: 'never' } },
    );
    await machine.released();
    expect(domain.plugins).toMatchObject([{ name: 'bad', state: 'quarantined', registered: [] }]);
  });

  it('does not keep a plugin from being removed', async () => {
    const { domain, machine } = await domainOf([failing]);
    await machine.run(100);
    await domain.remove('bad');
    expect(domain.plugins).toEqual([]);
  });

  it.each([0, -1, 1.5, Infinity, NaN])('is not possible after %d faults', async (quarantineAfterFaults) => {
    const error = await errorOf(domainOf([], { supervision: { quarantineAfterFaults } }));
    expect(error.code).toBe('RMK_ERR_INPUT');
    expect(error.message).toContain('quarantineAfterFaults');
  });
});

it.each(['0ms', '5 parsecs', 10])('a fault window of %o is refused', async (faultWindow) => {
  const supervision = { faultWindow: faultWindow as Duration };
  const error = await errorOf(domainOf([], { supervision }));
  expect(error.message).toBe(
    `RMK_ERR_INPUT: createDomain: invalid options: supervision.faultWindow: expected a duration above zero such as 50ms, 1.5s or 2min, given ${JSON.stringify(faultWindow)}`,
  );
});

describe('the host', () => {
  it('is isolated and attributed, but never quarantined', async () => {
    const { domain } = await domainOf([]);
    const faults: string[] = [];
    domain.bus.on('EVT_VMEXITED', () => {
      throw new Error('host is broken');
    });
    domain.bus.on(
      'EVT_PLUGINFAULT',
      ({ plugin: name, faults: count }) => void faults.push(`${name} ${count}`),
    );
    for (let time = 0; time < 20; time++) domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(faults).toHaveLength(20);
    expect(faults.at(-1)).toBe('host 20');
  });

  it('gets a diagnostic when its own handler of EVT_PLUGINFAULT throws', async () => {
    const diagnostics: string[] = [];
    using _ = onDiagnostic(({ concern, message }) => void diagnostics.push(`${concern}: ${message}`));
    const { domain } = await domainOf([]);
    let reports = 0;
    domain.bus.on('EVT_PLUGINFAULT', () => {
      reports += 1;
      throw new Error('no log file');
    });
    domain.bus.on('EVT_VMEXITED', () => {
      throw new Error('host is broken');
    });
    domain.bus.topic('EVT_VMEXITED').publish({ ...exited });
    expect(reports).toBe(1);
    expect(diagnostics).toEqual(["kernel: the host's own handler of EVT_PLUGINFAULT failed: no log file"]);
  });
});
