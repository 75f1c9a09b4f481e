import 'reflect-metadata';
import { BUS, messageOf, type Bus, type Domain, type EventName, type Plugin, type Topic } from '@rmk/core';
import * as fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { domainOf, plugin } from '../testDomain.js';

const lost = { atNs: 0, reason: 'full' };

describe('publishing', () => {
  it('fills source and sequence into the event itself', async () => {
    const { domain } = await domainOf([]);
    const seen: unknown[] = [];
    domain.bus.on('EVT_VMEXITED', (event) => void seen.push(event));
    const event = { atNs: 5, code: 3 };
    domain.bus.topic('EVT_VMEXITED').publish(event);
    expect(seen[0]).toBe(event);
    expect(event).toEqual({ atNs: 5, code: 3, source: 'host', sequence: 1 });
  });

  it('names the plugin that published', async () => {
    const sources: string[] = [];
    await domainOf(
      [
        plugin('a', (bus) => bus.topic('EVT_LOGLOST').publish({ ...lost })),
        plugin('b', (bus) => bus.topic('EVT_LOGLOST').publish({ ...lost })),
      ],
      { observe: (bus) => void bus.on('EVT_LOGLOST', ({ source }) => void sources.push(source)) },
    );
    expect(sources).toEqual(['a', 'b']);
  });

  it('reaches subscribers in the order in which their plugins started', async () => {
    const calls: string[] = [];
    const listener = (name: string) =>
      plugin(name, (bus) => void bus.on('EVT_LOGLOST', () => void calls.push(name)));
    const { domain } = await domainOf([listener('c'), listener('a'), listener('b')]);
    domain.bus.topic('EVT_LOGLOST').publish({ ...lost });
    expect(calls).toEqual(['c', 'a', 'b']);
  });

  it('delivers what a subscriber publishes after the outer event has reached everyone', async () => {
    const { domain } = await domainOf([]);
    const { bus } = domain;
    const calls: string[] = [];
    bus.on('EVT_LOGLOST', () => {
      calls.push('outer 1');
      bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 1 });
      bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 2 });
    });
    bus.on('EVT_LOGLOST', () => void calls.push('outer 2'));
    bus.on('EVT_VMEXITED', ({ code, sequence }) => void calls.push(`inner ${code}, number ${sequence}`));
    bus.topic('EVT_LOGLOST').publish({ ...lost });
    expect(calls).toEqual(['outer 1', 'outer 2', 'inner 1, number 2', 'inner 2, number 3']);
  });

  it('refuses a frozen event to its publisher and works on', async () => {
    const { domain } = await domainOf([]);
    const seen: number[] = [];
    domain.bus.on('EVT_VMEXITED', ({ code }) => void seen.push(code));
    const topic = domain.bus.topic('EVT_VMEXITED');
    expect(() => topic.publish(Object.freeze({ atNs: 0, code: 1 }))).toThrow(TypeError);
    topic.publish({ atNs: 0, code: 2 });
    expect(seen).toEqual([2]);
  });

  it.each([undefined, -1, NaN, Infinity, '5', null])(
    'refuses an event of core at %o: a fault of its publisher, not of those who listen',
    async (atNs) => {
      const seen: unknown[] = [];
      const { domain } = await domainOf([
        plugin('listener', (bus) => void bus.on('EVT_LOGLOST', (event) => void seen.push(event))),
        plugin('publisher', (bus) => {
          bus.on('EVT_VMEXITED', () => bus.topic('EVT_LOGLOST').publish({ reason: '', atNs } as typeof lost));
        }),
      ]);
      const faults: unknown[] = [];
      domain.bus.on(
        'EVT_PLUGINFAULT',
        ({ plugin: name, error }) => void faults.push([name, messageOf(error)]),
      );
      domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
      expect(faults).toEqual([
        [
          'publisher',
          `RMK_ERR_INPUT: publisher: EVT_LOGLOST was published with an invalid atNs: expected a finite number of 0 or more, given ${typeof atNs === 'string' ? `"${atNs}"` : String(atNs)}`,
        ],
      ]);
      expect(seen).toEqual([]);
    },
  );

  it('refuses an event that was published before, and leaves it as it is', async () => {
    const seen: string[] = [];
    const { domain } = await domainOf([
      plugin('detector', (bus) => {
        const topic = bus.topic('EVT_LOGLOST');
        bus.on('EVT_VMEXITED', () => topic.publish({ ...lost }));
      }),
      plugin('echo', (bus) => {
        const topic = bus.topic('EVT_LOGLOST');
        bus.on('EVT_LOGLOST', (event) => topic.publish(event));
      }),
    ]);
    domain.bus.on('EVT_LOGLOST', ({ source, sequence }) => void seen.push(`${source} ${sequence}`));
    domain.bus.on('EVT_PLUGINFAULT', ({ error }) => void seen.push(messageOf(error)));
    domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
    expect(seen).toEqual([
      'detector 2',
      'RMK_ERR_INPUT: echo: this EVT_LOGLOST was published before, with the sequence number 2: publish a new event, without source and sequence',
    ]);
  });

  it('continues after a rejected event', async () => {
    const { domain } = await domainOf([]);
    const topic = domain.bus.topic('EVT_VMEXITED');
    const seen: number[] = [];
    domain.bus.on('EVT_VMEXITED', ({ sequence }) => void seen.push(sequence));
    const event = { atNs: 0, code: 0 };
    topic.publish(event);
    expect(() => topic.publish(event)).toThrow('RMK_ERR_INPUT: host: this EVT_VMEXITED was published before');
    topic.publish({ atNs: 0, code: 0 });
    expect(seen).toEqual([1, 2]);
  });

  it('knows whether anyone listens', async () => {
    const { domain } = await domainOf([]);
    const topic = domain.bus.topic('EVT_LOGLOST');
    expect(topic.observed).toBe(false);
    const subscription = domain.bus.on('EVT_LOGLOST', () => {});
    expect(topic.observed).toBe(true);
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    expect(topic.observed).toBe(false);
  });
});

describe('a topic that a former plugin kept', () => {
  /** A plugin whose topics outlive it, and that faults at EVT_VMEXITED. */
  function haunting(left: (() => void)[]): Plugin {
    return plugin('ghost', (bus) => {
      const before: Topic<'EVT_LOGLOST'> = bus.topic('EVT_LOGLOST');
      left.push(
        () => before.publish({ atNs: 0, reason: 'made before' }),
        () => bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: 'made after' }),
      );
      bus.on('EVT_VMEXITED', () => {
        throw new Error('broken');
      });
    });
  }

  it.each([
    ['removed', (domain: Domain) => domain.remove('ghost')],
    ['quarantined', async (domain: Domain) => domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 })],
  ])('publishes nothing once it was %s', async (_, end) => {
    const left: (() => void)[] = [];
    const { domain } = await domainOf([haunting(left)], { supervision: { quarantineAfterFaults: 1 } });
    const seen: string[] = [];
    domain.bus.on('EVT_LOGLOST', ({ reason }) => void seen.push(reason));
    left.forEach((publish) => publish());
    expect(seen.splice(0)).toEqual(['made before', 'made after']);
    await end(domain);
    left.forEach((publish) => publish());
    // Also from within a delivery, where all that is published is queued.
    domain.bus.on('EVT_VMGONE', () => left.forEach((publish) => publish()));
    domain.bus.topic('EVT_VMGONE').publish({ atNs: 0, reason: '' });
    expect(seen).toEqual([]);
  });

  it('can still be published to in its stop()', async () => {
    @injectable()
    class Leaving {
      constructor(@inject(BUS) private readonly bus: Bus) {}

      stop(): void {
        this.bus.topic('EVT_LOGLOST').publish({ atNs: 0, reason: 'goodbye' });
      }
    }
    const { domain } = await domainOf([plugin('leaving', undefined, { modules: [Leaving] })]);
    const seen: string[] = [];
    domain.bus.on('EVT_LOGLOST', ({ reason }) => void seen.push(reason));
    await domain.remove('leaving');
    expect(seen).toEqual(['goodbye']);
  });
});

describe('a change during a delivery', () => {
  it('does not call a subscription that was disposed of', async () => {
    const { domain } = await domainOf([]);
    const calls: string[] = [];
    domain.bus.on('EVT_LOGLOST', () => second[Symbol.dispose]());
    const second = domain.bus.on('EVT_LOGLOST', () => void calls.push('second'));
    domain.bus.on('EVT_LOGLOST', () => void calls.push('third'));
    domain.bus.topic('EVT_LOGLOST').publish({ ...lost });
    expect(calls).toEqual(['third']);
  });

  it('calls a new subscription from the next event on, also when that is waiting already', async () => {
    const { domain } = await domainOf([]);
    const { bus } = domain;
    const calls: number[] = [];
    bus.topic('EVT_VMEXITED');
    const first = bus.on('EVT_VMEXITED', () => {
      first[Symbol.dispose]();
      bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 2 });
      bus.on('EVT_VMEXITED', ({ code }) => void calls.push(code));
    });
    bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 1 });
    expect(calls).toEqual([2]);
  });
});

describe('the bus against a reference model', () => {
  const TOPICS = ['EVT_LOGLOST', 'EVT_VMGONE', 'EVT_PROTECTIONLOST'] as const satisfies readonly EventName[];

  /** What a handler does when it is called, or the host between events. Subscriptions are counted as they are made. */
  const action = fc.oneof(
    fc.record({ do: fc.constant('publish' as const), topic: fc.nat(TOPICS.length - 1) }),
    fc.record({ do: fc.constant('subscribe' as const), topic: fc.nat(TOPICS.length - 1) }),
    fc.record({ do: fc.constant('dispose' as const), subscription: fc.nat(20) }),
    fc.record({ do: fc.constant('throw' as const) }),
  );
  type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;
  const MOST_EVENTS = 40;
  const MOST_SUBSCRIPTIONS = 20;

  interface Script {
    readonly host: readonly Action[];
    /** The n-th call of any handler does what stands here at n, cyclically. */
    readonly handlers: readonly (readonly Action[])[];
  }

  interface World {
    publish(topic: number, id: number): void;
    subscribe(topic: number, call: (id: number) => void): () => void;
  }

  /** Plays a script and gives the log of calls: which subscription got which event. */
  function play({ host, handlers }: Script, world: World): readonly string[] {
    const log: string[] = [];
    const disposals: (() => void)[] = [];
    let events = 0;
    const act = (what: Action): void => {
      if (what.do === 'publish' && events < MOST_EVENTS) world.publish(what.topic, events++);
      if (what.do === 'dispose') disposals[what.subscription]?.();
      if (what.do === 'throw') throw new Error('as scripted');
      if (what.do === 'subscribe' && disposals.length < MOST_SUBSCRIPTIONS) {
        const subscription = disposals.length;
        disposals.push(
          world.subscribe(what.topic, (id) => {
            const actions = handlers[log.length % handlers.length] ?? [];
            log.push(`subscription ${subscription} got event ${id}`);
            actions.forEach(act);
          }),
        );
      }
    };
    for (const what of host) if (what.do !== 'throw') act(what);
    return log;
  }

  function realWorld(bus: Bus): World {
    const topics = TOPICS.map((name) => bus.topic(name));
    return {
      publish: (topic, id) => topics[topic]?.publish({ atNs: id, reason: '' }),
      subscribe: (topic, call) => {
        const subscription = bus.on(TOPICS[topic] ?? 'EVT_VMGONE', ({ atNs }) => call(atNs));
        return () => subscription[Symbol.dispose]();
      },
    };
  }

  /** The rules in the plainest form: one list of subscriptions, one queue. */
  function modelWorld(): World {
    const subscriptions: { topic: number; live: boolean; call: (id: number) => void }[] = [];
    const queue: { topic: number; id: number }[] = [];
    return {
      publish: (topic, id) => {
        queue.push({ topic, id });
        if (queue.length > 1) return;
        for (let next = queue[0]; next !== undefined; next = queue[0]) {
          const { topic: published, id: event } = next;
          for (const one of subscriptions.filter((each) => each.live && each.topic === published)) {
            try {
              if (one.live) one.call(event);
            } catch {
              // Isolated.
            }
          }
          queue.shift();
        }
      },
      subscribe: (topic, call) => {
        const subscription = { topic, live: true, call };
        subscriptions.push(subscription);
        return () => {
          subscription.live = false;
        };
      },
    };
  }

  it('calls the same subscriptions with the same events in the same order', async () => {
    const { domain } = await domainOf([]);
    const sequences: number[] = [];
    domain.bus.on('EVT_LOGLOST', ({ sequence }) => void sequences.push(sequence));
    let calls = 0;
    fc.assert(
      fc.property(
        fc.record({
          host: fc.array(action, { minLength: 5, maxLength: 30 }),
          handlers: fc.array(fc.array(action, { maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        }),
        (script) => {
          const expected = play(script, modelWorld());
          // A world of its own for each script, with what is left of the scripts before silenced by their end.
          const bus = scopedToOneScript(domain.bus);
          expect(play(script, realWorld(bus))).toEqual(expected);
          bus.end();
          calls += expected.length;
        },
      ),
      { numRuns: 300 },
    );
    expect(calls).toBeGreaterThan(300);
    expect(sequences).toEqual([...sequences].toSorted((a, b) => a - b));
    expect(new Set(sequences).size).toBe(sequences.length);
  });

  function scopedToOneScript(bus: Bus): Bus & { end(): void } {
    const made: Disposable[] = [];
    return {
      topic: (name) => bus.topic(name),
      on: (name, handle) => {
        const subscription = bus.on(name, handle);
        made.push(subscription);
        return subscription;
      },
      end: () => made.forEach((subscription) => subscription[Symbol.dispose]()),
    };
  }
});
