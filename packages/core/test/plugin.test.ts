import {
  definePlugin,
  P_VMIO,
  P_VMSCHL,
  provide,
  type IoPin,
  type Plugin,
  type SchedulingPin,
} from '@rmk/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const manifest = { name: 'rmk-plugin-x', version: '1.0.0', rmk: '^0.2.0' };

class Scheduling implements SchedulingPin {
  readonly schedulingIntervalNs = 10e6;
}
class Io implements IoPin {
  input(): Promise<void> {
    return Promise.resolve();
  }
}

describe('definePlugin', () => {
  it('gives a factory of inert data: the definition, and options not looked at yet', () => {
    const definition = { ...manifest, options: z.object({ limit: z.number() }) };
    const plugin = definePlugin(definition);
    expect(plugin({ limit: 5 })).toEqual({ definition, options: { limit: 5 } });
    expect(plugin({ limit: 5 }).definition).toBe(definition);
    // @ts-expect-error checked only by the kernel
    expect(plugin({ limit: 'five' }).options).toEqual({ limit: 'five' });
  });

  it('takes options as the schema says', () => {
    const none = definePlugin(manifest);
    expectTypeOf(none).toEqualTypeOf<() => Plugin>();
    // @ts-expect-error takes no options
    none({ limit: 5 });

    const required = definePlugin({ ...manifest, options: z.object({ limit: z.number() }) });
    expectTypeOf(required).parameters.toEqualTypeOf<[options: { limit: number }]>();
    // @ts-expect-error the option is required
    required();

    const optional = definePlugin({ ...manifest, options: z.object({ limit: z.number().default(5) }) });
    expectTypeOf(optional).parameters.toEqualTypeOf<[options?: { limit?: number | undefined } | undefined]>();
    expect(optional().options).toBeUndefined();
  });

  it('gives detects the options as the schema puts them out', () => {
    definePlugin({
      ...manifest,
      options: z.object({ bound: z.string().transform(Number) }),
      detects: ({ bound }, machine) => {
        expectTypeOf(bound).toBeNumber();
        return [{ kind: 'hang', boundNs: bound + machine.schedulingIntervalNs }];
      },
    });
  });

  it('provides tokens by classes that fit', () => {
    const provides = [provide(P_VMSCHL, Scheduling), provide(P_VMIO, Io)];
    expect(definePlugin({ ...manifest, provides })().definition.provides).toEqual([
      { token: P_VMSCHL, by: Scheduling },
      { token: P_VMIO, by: Io },
    ]);
    // @ts-expect-error Io is no SchedulingPin
    provide(P_VMSCHL, Io);
    class Late extends Io {
      started: number | undefined;
      start(now: number): void {
        this.started = now;
      }
    }
    // @ts-expect-error start() is given nothing
    provide(P_VMIO, Late);
  });

  it('takes modules with start, stop, both or neither, and none of another shape', () => {
    class Quiet {
      private readonly limit = 5;
      get doubled(): number {
        return this.limit * 2;
      }
    }
    expect(definePlugin({ ...manifest, modules: [Quiet] })().definition.modules).toEqual([Quiet]);
    class Late {
      started: number | undefined;
      start(now: number): void {
        this.started = now;
      }
    }
    // @ts-expect-error start() is given nothing
    definePlugin({ ...manifest, modules: [Late] });
  });

  it('names events that are declared', () => {
    expect(definePlugin({ ...manifest, events: ['EVT_VMEXITED'] })().definition.events).toEqual([
      'EVT_VMEXITED',
    ]);
    // @ts-expect-error there is no such event
    definePlugin({ ...manifest, events: ['EVT_VMEXPLODED'] });
  });
});
