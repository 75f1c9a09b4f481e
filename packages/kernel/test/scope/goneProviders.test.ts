import 'reflect-metadata';
import {
  BUS,
  definePlugin,
  P_VMIO,
  problemText,
  provide,
  token,
  type Bus,
  type Domain,
  type Module,
  type Plugin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

interface Pin {
  read(): number;
  readonly size: number;
}
const PIN = token<Pin>('test:GONE', { members: ['read', 'size'] });

@injectable()
class RealPin implements Pin, Module {
  readonly size = 7;

  constructor(@inject(BUS) private readonly bus: Bus) {}

  start(): void {
    this.bus.on('EVT_VMEXITED', () => {
      throw new Error('broken');
    });
  }

  read(): number {
    return 1;
  }
}

const pin = (): Plugin => plugin('pin', undefined, { provides: [provide(PIN, RealPin)] });
const supervision = { quarantineAfterFaults: 1, restartAfter: '100ns' } as const;

function quarantine(domain: Domain): void {
  domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
}

describe('a pin that someone kept', () => {
  it('rejects calls once its plugin is removed, and names it', async () => {
    const { domain } = await domainOf([pin()]);
    const kept = domain.get(PIN);
    expect(kept.read()).toBe(1);
    await domain.remove('pin');
    expect(() => kept.read()).toThrow(
      'RMK_ERR_INACTIVE: host cannot call test:GONE.read: pin, which provides it, was removed or restarted',
    );
    expect(() => domain.get(PIN)).toThrow('RMK_ERR_UNKNOWN');
    // Its properties can still be read.
    expect(kept.size).toBe(7);
  });

  it('rejects calls while its plugin is quarantined, and forever once that is restarted', async () => {
    const { domain, machine } = await domainOf([pin()], { supervision });
    const kept = domain.get(PIN);
    quarantine(domain);
    expect(() => kept.read()).toThrow(
      'RMK_ERR_INACTIVE: host cannot call test:GONE.read: pin, which provides it, is quarantined',
    );
    await machine.run(100);
    await machine.released();
    expect(domain.plugins).toMatchObject([{ state: 'active', restarts: 1 }]);
    expect(() => kept.read()).toThrow('removed or restarted. Get the current object with `domain.get`');
    expect(domain.get(PIN).read()).toBe(1);
  });

  it('is provided again even if each start provides the same object', async () => {
    const device = { size: 7, read: () => 1 };
    class Shared {
      readonly size: number = 0;

      constructor() {
        return device;
      }

      read(): number {
        return this.size;
      }
    }
    const shared = plugin('pin', undefined, { provides: [provide(PIN, Shared)] });
    const { domain } = await domainOf([shared]);
    const kept = domain.get(PIN);
    await domain.restart('pin');
    expect(() => kept.read()).toThrow('removed or restarted');
    expect(domain.get(PIN).read()).toBe(1);
  });

  it('is a fault of the plugin that calls it, and the domain continues', async () => {
    const calls: string[] = [];
    @injectable()
    class Caller implements Module {
      constructor(
        @inject(PIN) private readonly given: Pin,
        @inject(BUS) private readonly bus: Bus,
      ) {}

      start(): void {
        this.bus.on('EVT_LOGLOST', () => void calls.push(`read ${this.given.read()}`));
      }
    }
    const caller = plugin('caller', undefined, { requires: [PIN], modules: [Caller] });
    const other = plugin('other', (bus) => void bus.on('EVT_LOGLOST', () => void calls.push('other')));
    const { domain } = await domainOf([pin(), caller, other], {
      supervision: { quarantineAfterFaults: 8, restartAfter: 'never' },
    });
    const faults: string[] = [];
    domain.bus.on(
      'EVT_PLUGINFAULT',
      ({ plugin: name, error }) => void faults.push(`${name}: ${String(error)}`),
    );
    const lose = (): void => domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: '' });
    lose();
    for (let fault = 1; fault <= 8; fault++) quarantine(domain);
    lose();
    expect(calls).toEqual(['read 1', 'other', 'other']);
    expect(faults.at(-1)).toContain(
      'caller: RmkError: RMK_ERR_INACTIVE: caller cannot call test:GONE.read: pin',
    );
    expect(domain.plugins.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'pin quarantined',
      'caller active',
      'other active',
    ]);
  });
});

describe('what requires a plugin in quarantine', () => {
  it('cannot be installed until that is active again', async () => {
    const { domain, machine } = await domainOf([pin()], { supervision });
    quarantine(domain);
    const caller = (): Plugin => plugin('caller', undefined, { requires: [PIN] });
    expect((await errorOf(domain.install(caller()))).message).toContain(
      'RMK_ERR_DEPENDENCY: caller cannot start: it requires test:GONE of pin, which is quarantined',
    );
    await machine.run(100);
    await machine.released();
    await domain.install(caller());
    expect(domain.plugins.map(({ state }) => state)).toEqual(['active', 'active']);
  });
});

describe('an object that lacks what its token promises', () => {
  class Nothing implements Module {
    start(): void {}
  }
  const lies = (manifest = {}): Plugin => ({
    definition: {
      name: 'liar',
      version: '1.0.0',
      rmk: '*',
      provides: [
        { token: PIN, by: Nothing },
        { token: P_VMIO, by: Nothing },
      ],
      ...manifest,
    },
    options: undefined,
  });

  it('is refused with plugin, class, token and everything that is missing', async () => {
    const error = await errorOf(domainOf([lies()]));
    expect(error.code).toBe('RMK_ERR_PROVIDES');
    expect(error.plugin).toBe('liar');
    expect(error.problems.map(problemText)).toEqual([
      "Nothing, which is to be test:GONE, lacks read, size: implement all of the token's type, or take it out of `provides`",
      "Nothing, which is to be P_VMIO, lacks input: implement all of the token's type, or take it out of `provides`",
    ]);
  });

  it('even if the object has no class', async () => {
    class Bare {
      constructor() {
        return Object.create(null) as Bare;
      }

      stop(): void {}
    }
    const error = await errorOf(domainOf([lies({ provides: [{ token: PIN, by: Bare }] })]));
    expect(error.code).toBe('RMK_ERR_PROVIDES');
    expect(error.message).toContain(
      "a class, which is to be test:GONE, lacks read, size: implement all of the token's type, or take it out of `provides`",
    );
  });

  it('before any of its code starts, and the others continue if onFailure allows it', async () => {
    let started = 0;
    class Started implements Module {
      start(): void {
        started += 1;
      }
    }
    const { domain } = await domainOf([lies({ modules: [Started] }), plugin('fine')], {
      onFailure: { liar: 'continue' },
    });
    expect(domain.plugins.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'liar failed',
      'fine active',
    ]);
    expect(started).toBe(0);
  });

  it('may have additional members', async () => {
    class More implements Pin, Module {
      readonly size = 7;
      readonly more = true;
      read = (): number => 1;
    }
    const more = definePlugin({ name: 'more', version: '1.0.0', rmk: '*', provides: [provide(PIN, More)] });
    await expect(domainOf([more()])).resolves.toBeDefined();
  });
});
