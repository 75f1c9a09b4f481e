import {
  BUS,
  CLOCK,
  definePlugin,
  P_VCPU,
  P_VMIO,
  provide,
  token,
  type Bus,
  type Clock,
  type Domain,
  type EventName,
  type IoPin,
  type Nanoseconds,
  type Plugin,
  type Provision,
  type RmkEvent,
  type RmkEvents,
  type Token,
  type Topic,
  type VcpuPin,
} from '@rmk/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

// The compiler (`tsc -b`) checks this file: an expected error that does not occur fails the build.

const manifest = { name: 'rmk-plugin-x', version: '1.0.0', rmk: '^0.2.0' };

type HandlerOf<E extends EventName> = Parameters<typeof subscribeTo<E>>[1];
declare function subscribeTo<E extends EventName>(
  name: E,
  handle: (event: RmkEvent<E>) => void | Promise<void>,
): void;

describe('the payload of an event', () => {
  it('is inferred from its name where one subscribes', () => {
    const subscribe = (bus: Bus): void => {
      bus.on('EVT_VMOUTPUT', (event) => {
        expectTypeOf(event.data).toEqualTypeOf<Uint8Array>();
        expectTypeOf(event.atNs).toEqualTypeOf<Nanoseconds>();
        expectTypeOf(event.source).toEqualTypeOf<string>();
        expectTypeOf(event.sequence).toEqualTypeOf<number>();
        // @ts-expect-error of another event
        expectTypeOf(event.record).toBeNever();
        // @ts-expect-error an event is the same for all its subscribers
        event.source = 'me';
      });
      bus.on('EVT_RECOVERED', async ({ record }) => {
        expectTypeOf(record.rung).toEqualTypeOf<'target' | 'older' | 'newer' | 'only' | 'restart'>();
      });
      // @ts-expect-error nobody declares it
      bus.on('EVT_NOBODYKNOWS', () => {});
      // @ts-expect-error what a handler returns is awaited or nothing
      bus.on('EVT_VMOUTPUT', () => 5);
    };
    expectTypeOf(subscribe).parameter(0).toEqualTypeOf<Bus>();
  });

  it('is what a topic of that name publishes, without what the bus fills in', () => {
    const publish = (bus: Bus): void => {
      const topic = bus.topic('EVT_ERRORDETECTED');
      expectTypeOf(topic).toEqualTypeOf<Topic<'EVT_ERRORDETECTED'>>();
      topic.publish({ atNs: 0, kind: 'silence', cause: 'nothing heard' });
      topic.publish({ atNs: 0, kind: 'silence', cause: 'nothing heard', suspectSinceNs: 0 });
      // @ts-expect-error the cause is missing
      topic.publish({ atNs: 0, kind: 'silence' });
      // @ts-expect-error unknown member
      topic.publish({ atNs: 0, kind: 'silence', cause: 'nothing heard', latency: 5 });
      // @ts-expect-error the bus says who it was
      topic.publish({ atNs: 0, kind: 'silence', cause: 'nothing heard', source: 'me' });
    };
    expectTypeOf(publish).parameter(0).toEqualTypeOf<Bus>();
  });

  it('of a name that is only known to be one of several is one of theirs', () => {
    type Either = HandlerOf<'EVT_VMEXITED' | 'EVT_VMGONE'>;
    expectTypeOf<Either>().parameter(0).toExtend<RmkEvents['EVT_VMEXITED'] | RmkEvents['EVT_VMGONE']>();
  });
});

describe('a token', () => {
  it('says what a domain gives for it', () => {
    const look = (domain: Domain): void => {
      expectTypeOf(domain.get(P_VCPU)).toEqualTypeOf<VcpuPin>();
      expectTypeOf(domain.get(BUS)).toEqualTypeOf<Bus>();
      expectTypeOf(domain.get(CLOCK)).toEqualTypeOf<Clock>();
      expectTypeOf(domain.get(token<{ readonly celsius: number }>('T'))).toEqualTypeOf<{
        readonly celsius: number;
      }>();
      // @ts-expect-error a name is no token
      domain.get('P_VCPU');
    };
    expectTypeOf(look).parameter(0).toEqualTypeOf<Domain>();
  });

  it('of one type cannot replace one of another type', () => {
    expectTypeOf<Token<IoPin>>().not.toExtend<Token<VcpuPin>>();
    expectTypeOf<Token<VcpuPin>>().not.toExtend<Token<IoPin>>();
  });
});

describe('a provision', () => {
  class Io implements IoPin {
    input(): Promise<void> {
      return Promise.resolve();
    }
  }

  it('is of a class whose instances have all that the token promises', () => {
    expectTypeOf(provide(P_VMIO, Io)).toEqualTypeOf<Provision<IoPin>>();
  });

  it('cannot be of a class that has only some of it', () => {
    class Suspends {
      suspend(): Promise<void> {
        return Promise.resolve();
      }
    }
    // @ts-expect-error it has no resume()
    provide(P_VCPU, Suspends);
    // @ts-expect-error it has nothing of it
    provide(P_VMIO, Suspends);
  });

  it('cannot be of a class that has it with other types', () => {
    class Says {
      input(): string {
        return '';
      }
    }
    // @ts-expect-error input() is awaited
    provide(P_VMIO, Says);
  });

  it('cannot be of an object, nor of a class whose start() wants something', () => {
    // @ts-expect-error an instance in place of its class
    provide(P_VMIO, new Io());
    class Late extends Io {
      start(now: number): number {
        return now;
      }
    }
    // @ts-expect-error start() is given nothing
    provide(P_VMIO, Late);
  });
});

describe('the options of a plugin', () => {
  const limits = z.strictObject({
    interval: z.string().transform(Number),
    retain: z.number().default(2),
  });

  it('are given as the schema takes them, and come as it puts them out', () => {
    const plugin = definePlugin({
      ...manifest,
      options: limits,
      detects: (options) => {
        expectTypeOf(options).toEqualTypeOf<{ interval: number; retain: number }>();
        return [];
      },
    });
    expectTypeOf(plugin).parameters.toEqualTypeOf<
      [options: { interval: string; retain?: number | undefined }]
    >();
    expectTypeOf(plugin).returns.toEqualTypeOf<Plugin>();
    // @ts-expect-error one of them is required
    plugin();
    // @ts-expect-error one of them is required
    plugin({ retain: 2 });
    // @ts-expect-error that is what comes out
    plugin({ interval: 5 });
    // @ts-expect-error unknown
    plugin({ interval: '5', retian: 2 });
  });

  it('can be left out where none is required', () => {
    const plugin = definePlugin({ ...manifest, options: limits.partial() });
    plugin();
    plugin({});
    plugin({ retain: 3 });
  });

  it('are not there where there is no schema', () => {
    const plugin = definePlugin(manifest);
    expectTypeOf(plugin).toEqualTypeOf<() => Plugin>();
    // @ts-expect-error it takes none
    plugin({});
  });

  it('may be described by any Standard Schema', () => {
    const celsius: StandardSchemaV1<{ readonly celsius: string }, { readonly celsius: number }> = {
      '~standard': { version: 1, vendor: 'hand', validate: () => ({ value: { celsius: 20 } }) },
    };
    const plugin = definePlugin({
      ...manifest,
      options: celsius,
      detects: (options) => {
        expectTypeOf(options).toEqualTypeOf<{ readonly celsius: number }>();
        return [];
      },
    });
    expectTypeOf(plugin).parameters.toEqualTypeOf<[options: { readonly celsius: string }]>();
  });
});

describe('a manifest', () => {
  it('names capabilities and events that there are', () => {
    definePlugin({ ...manifest, capabilities: ['deterministic'], events: ['EVT_RECOVERED'] });
    // @ts-expect-error no driver can fly
    definePlugin({ ...manifest, capabilities: ['flight'] });
    // @ts-expect-error nobody declares it
    definePlugin({ ...manifest, events: ['EVT_NOBODYKNOWS'] });
  });
});
