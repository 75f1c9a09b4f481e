import 'reflect-metadata';
import {
  BUS,
  definePlugin,
  provide,
  reportFault,
  token,
  type Bus,
  type Domain,
  type Plugin,
  type RmkEvent,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf } from '../testDomain.js';

interface Worker {
  readonly name: string;
  work(what: string): unknown;
}

/** A third party's extension point: workers that it calls at each EVT_LOGLOST. */
interface Workshop {
  readonly workers: readonly Worker[];
  employ(worker: Worker, byTheWay?: unknown): Disposable;
}

const WORKSHOP = token<Workshop>('test:WORKSHOP', {
  members: ['workers', 'employ'],
  callbacks: { employ: ['work'] },
});

type Manner = 'calls' | 'catches' | 'reports';

function workshop(manner: Manner = 'calls'): Plugin {
  @injectable()
  class RealWorkshop implements Workshop {
    workers: readonly Worker[] = [];

    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      this.bus.on('EVT_LOGLOST', ({ reason }) => {
        for (const worker of this.workers) this.employed(worker, reason);
      });
    }

    employ(worker: Worker): Disposable {
      this.workers = [...this.workers, worker];
      return {
        [Symbol.dispose]: () => {
          this.workers = this.workers.filter((one) => one !== worker);
        },
      };
    }

    private employed(worker: Worker, what: string): unknown {
      if (manner === 'calls') return worker.work(what);
      try {
        return worker.work(what);
      } catch (error) {
        if (manner === 'reports') reportFault(worker, `work of ${worker.name}`, error);
        return undefined;
      }
    }
  }
  return definePlugin({
    name: 'workshop',
    version: '1.0.0',
    rmk: '*',
    provides: [provide(WORKSHOP, RealWorkshop)],
  })();
}

/** A plugin that has `worker` employed. */
function agency(worker: Worker, name = 'agency', byTheWay?: unknown): Plugin {
  @injectable()
  class Agency {
    constructor(@inject(WORKSHOP) private readonly shop: Workshop) {}

    start(): void {
      this.shop.employ(worker, byTheWay);
    }
  }
  return definePlugin({ name, version: '1.0.0', rmk: '*', requires: [WORKSHOP], modules: [Agency] })();
}

const careless: Worker = {
  name: 'workshop',
  work: () => {
    throw new Error('careless');
  },
};

async function start(plugins: readonly Plugin[], quarantineAfterFaults = 8) {
  const faults: RmkEvent<'EVT_PLUGINFAULT'>[] = [];
  const { domain } = await domainOf(plugins, {
    supervision: { quarantineAfterFaults },
    observe: (bus) => void bus.on('EVT_PLUGINFAULT', (fault) => void faults.push(fault)),
  });
  return { domain, faults };
}

function work(domain: Domain, what = 'saw'): void {
  domain.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: what });
}

const faultsOf = ({ plugins }: Domain) => plugins.map(({ name, faults }) => `${name} ${faults}`);

describe('an object that a plugin gives to another one, by a token that names its callbacks', () => {
  it.each([
    ['calls', 'EVT_LOGLOST'],
    ['reports', 'work of workshop'],
  ] as const)(
    'is answered for by who gave it where the provider %s it, whatever name it has',
    async (manner, during) => {
      const { domain, faults } = await start([workshop(manner), agency(careless)]);
      work(domain);
      expect(faults).toMatchObject([{ plugin: 'agency', during, faults: 1, source: 'kernel' }]);
      expect(faults[0]?.error).toEqual(new Error('careless'));
      expect(faultsOf(domain)).toEqual(['workshop 0', 'agency 1']);
    },
  );

  it('is nobody’s fault where the provider handles what it throws', async () => {
    const { domain, faults } = await start([workshop('catches'), agency(careless)]);
    work(domain);
    expect(faults).toEqual([]);
  });

  it('goes with its plugin, which is quarantined for it', async () => {
    const steady: string[] = [];
    const colleague: Worker = { name: 'colleague', work: (what) => steady.push(what) };
    const { domain } = await start([workshop('reports'), agency(careless), agency(colleague, 'other')], 3);
    for (const what of ['1', '2', '3', '4']) work(domain, what);
    expect(domain.plugins.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'workshop active',
      'agency quarantined',
      'other active',
    ]);
    expect(domain.get(WORKSHOP).workers.map(({ name }) => name)).toEqual(['colleague']);
    expect(steady).toEqual(['1', '2', '3', '4']);
  });

  it('answers for promises too', async () => {
    const late: Worker = { name: 'late', work: () => Promise.reject(new Error('late')) };
    @injectable()
    class Patient {
      worker: Worker | undefined;
      constructor(@inject(BUS) private readonly bus: Bus) {}
      get workers(): readonly Worker[] {
        return this.worker === undefined ? [] : [this.worker];
      }
      start(): void {
        this.bus.on('EVT_LOGLOST', async ({ reason }) => void (await this.worker?.work(reason)));
      }
      employ(worker: Worker): Disposable {
        this.worker = worker;
        return { [Symbol.dispose]: () => {} };
      }
    }
    const patient = definePlugin({
      name: 'patient',
      version: '1.0.0',
      rmk: '*',
      provides: [provide(WORKSHOP, Patient)],
    });
    const { domain, faults } = await start([patient(), agency(late)]);
    work(domain);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(faults).toMatchObject([{ plugin: 'agency', during: 'EVT_LOGLOST' }]);
  });

  it('is otherwise what it was: private fields, accessors, class and identity', async () => {
    class Skilled implements Worker {
      #done = 0;
      get name(): string {
        return `done ${this.#done}`;
      }
      set done(count: number) {
        this.#done = count;
      }
      work(): number {
        return (this.#done += 1);
      }
      rest(hours: number): string {
        return `${this.#done} in ${hours}`;
      }
    }
    const skilled = Object.freeze(new Skilled());
    const { domain } = await start([workshop(), agency(skilled), agency(skilled, 'second')]);
    work(domain);
    const [given, again] = domain.get(WORKSHOP).workers;
    expect(given).toBeInstanceOf(Skilled);
    expect(given?.name).toBe('done 2');
    expect((given as Skilled).rest(3)).toBe('2 in 3');
    (given as Skilled).done = 7;
    expect(skilled.name).toBe('done 7');
    // Two plugins gave it, and each answers for its own.
    expect(given).not.toBe(again);
    const host = domain.get(WORKSHOP);
    host.employ(skilled);
    host.employ(skilled);
    const [, , third, fourth] = domain.get(WORKSHOP).workers;
    expect(third).toBe(fourth);
  });

  it('is handed on as it is where it has no such method, or is another argument', async () => {
    const seen: unknown[] = [];
    class Curious implements Workshop {
      readonly workers = [];
      employ(...given: unknown[]): Disposable {
        seen.push(...given);
        return { [Symbol.dispose]: () => {} };
      }
    }
    const curious = definePlugin({
      name: 'curious',
      version: '1.0.0',
      rmk: '*',
      provides: [provide(WORKSHOP, Curious)],
    });
    const idle = { name: 'idle', work: 'none' } as unknown as Worker;
    const byTheWay = { rest: () => {} };
    await start([curious(), agency(idle, 'agency', byTheWay)]);
    expect(seen[0]).toBe(idle);
    expect(seen[1]).toBe(byTheWay);
  });

  it('is the host’s where the host gave it, which is never quarantined', async () => {
    const { domain, faults } = await start([workshop('reports')], 1);
    domain.get(WORKSHOP).employ(careless);
    work(domain);
    work(domain);
    expect(faults.map(({ plugin, faults: count }) => `${plugin} ${count}`)).toEqual(['host 1', 'host 2']);
  });
});

it('of an object of its own a plugin answers for itself', () => {
  expect(() => reportFault(careless, 'work', new Error('own'))).toThrow('own');
});
