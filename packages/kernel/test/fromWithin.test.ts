import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  definePlugin,
  hasCode,
  provide,
  token,
  type Bus,
  type Clock,
  type Domain,
  type Module,
  type OnFailure,
  type Plugin,
} from '@rmk/core';
import * as fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';
import { domainOf } from './testDomain.js';

const COUNT = 4;
/** Of acts in all: else plugins that restart each other would do so forever. */
const MOST_ACTS = 25;
/** A handler that hangs holds the VM until its plugin is stopped. */
const PATIENCE_MS = 20;

interface Pin {
  call(): unknown;
}
const pins = Array.from({ length: COUNT }, (_, index) => token<Pin>(`test:WITHIN_${index}`));

const ACTS = [
  'nothing',
  'throws',
  'rejects',
  'hangs',
  'is late',
  'installs the next',
  'removes the next',
  'restarts the next',
  'removes itself',
  'calls the one before',
  'publishes',
] as const;
type Act = (typeof ACTS)[number];

/** Where code of a plugin is called. */
type Place = 'start' | 'stop' | 'handler' | 'timer' | 'pin';

/** What a plugin does in each of them. */
interface Nature extends Readonly<Record<Place, Act>> {
  readonly requires: boolean;
  readonly onFailure: OnFailure;
}

const acts = fc.oneof({ weight: 3, arbitrary: fc.constant<Act>('nothing') }, fc.constantFrom(...ACTS));
const natures = fc.array(
  fc.record<Nature>({
    start: acts,
    stop: acts,
    handler: acts,
    timer: acts,
    pin: acts,
    requires: fc.boolean(),
    onFailure: fc.constantFrom('abort', 'continue', 'quarantine'),
  }),
  { minLength: COUNT, maxLength: COUNT },
);
const steps = fc.array(
  fc.record({
    does: fc.constantFrom('install', 'install', 'remove', 'restart', 'publish', 'run'),
    plugin: fc.nat(COUNT - 1),
  }),
  { maxLength: 12 },
);

/** A domain whose plugins act upon it from within. */
class Troupe {
  domain: Domain | undefined;
  /** What plugins began and did not wait for. */
  readonly begun: Promise<unknown>[] = [];
  private actsLeft = MOST_ACTS;

  constructor(private readonly all: readonly Nature[]) {}

  /** What is refused is refused with a code, and that is all. */
  async refusable(operation: Promise<unknown> | undefined): Promise<void> {
    try {
      await operation;
    } catch (error) {
      if (!hasCode(error)) throw error;
    }
  }

  plugin(index: number): Plugin {
    const nature = this.all[index];
    const used = pins.slice(Math.max(0, index - 1), index);
    const act = (where: Place, bus: Bus, pin: Pin | undefined): void | Promise<void> =>
      this.act(nature?.[where] ?? 'nothing', index, bus, pin);
    @injectable()
    class Player implements Pin, Module {
      constructor(
        @inject(BUS) private readonly bus: Bus,
        @inject(CLOCK) private readonly clock: Clock,
        @inject(used[0] ?? BUS) private readonly pin: Pin | Bus | undefined,
      ) {}

      start(): void | Promise<void> {
        this.bus.on('EVT_VMEXITED', () => this.does('handler'));
        this.clock.every(50, () => this.does('timer'));
        return this.does('start');
      }

      stop(): void | Promise<void> {
        return this.does('stop');
      }

      call(): unknown {
        return this.does('pin');
      }

      private does(where: Place): void | Promise<void> {
        const { pin } = this;
        return act(where, this.bus, pin !== undefined && 'call' in pin ? pin : undefined);
      }
    }
    return definePlugin({
      name: `plugin-${index}`,
      version: '1.0.0',
      rmk: '*',
      ...(nature?.requires === true ? { requires: used } : { optional: used }),
      provides: pins.slice(index, index + 1).map((pin) => provide(pin, Player)),
      onFailure: nature?.onFailure ?? 'abort',
    })();
  }

  private act(what: Act, index: number, bus: Bus, pin: Pin | undefined): void | Promise<void> {
    this.actsLeft -= 1;
    if (this.actsLeft < 0) return undefined;
    const next = (index + 1) % COUNT;
    const { domain } = this;
    switch (what) {
      case 'nothing':
        return undefined;
      case 'throws':
        throw new Error('broken');
      case 'rejects':
        return Promise.reject(new Error('broken'));
      case 'hangs':
        return new Promise(() => {});
      case 'is late':
        return new Promise((resolve) => setTimeout(resolve, 6));
      case 'installs the next':
        return this.begin(domain?.install(this.plugin(next)));
      case 'removes the next':
        return this.begin(domain?.remove(`plugin-${next}`, { dependants: 'remove' }));
      case 'restarts the next':
        return this.begin(domain?.restart(`plugin-${next}`));
      case 'removes itself':
        // It waits for itself, which the README forbids.
        return this.refusable(domain?.remove(`plugin-${index}`, { dependants: 'remove' }));
      case 'calls the one before':
        return pin?.call() as void | Promise<void>;
      case 'publishes':
        return bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    }
  }

  private begin(operation: Promise<unknown> | undefined): void {
    this.begun.push(this.refusable(operation));
  }
}

it('plugins that act upon each other from within, throw and hang leave a domain that can be stopped', async () => {
  await fc.assert(
    fc.asyncProperty(natures, steps, async (all, taken) => {
      const troupe = new Troupe(all);
      const { domain, machine } = await domainOf([], {
        timeouts: { start: '3ms', stop: '3ms' },
        supervision: { quarantineAfterFaults: 3, restartAfter: '200ns' },
      });
      troupe.domain = domain;
      for (const { does, plugin } of taken) {
        const name = `plugin-${plugin}`;
        if (does === 'publish') domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
        else if (does === 'install') await troupe.refusable(domain.install(troupe.plugin(plugin)));
        else if (does === 'remove') await troupe.refusable(domain.remove(name));
        else if (does === 'restart') await troupe.refusable(domain.restart(name));
        else await Promise.race([machine.run(120), new Promise((go) => setTimeout(go, PATIENCE_MS))]);
      }
      await troupe.refusable(domain.stop());
      await Promise.all(troupe.begun);
      // Nothing of them holds the VM any more, and nothing is left on it.
      await machine.released();
      expect(domain.plugins).toEqual([]);
      expect([machine.liveTimers, machine.liveObservers]).toEqual([0, 0]);
    }),
    { numRuns: 150 },
  );
});
