import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  definePlugin,
  OPTIONS,
  provide,
  token,
  VIRTUAL_MACHINE,
  type Class,
  type Manifest,
  type Plugin,
} from '@rmk/core';
import { container, inject, injectable, singleton } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { domainOf, errorOf } from '../testDomain.js';

interface Pin {
  readonly id: number;
}
const PIN = token<Pin>('test:PIN');
const OTHER = token<Pin>('test:OTHER');

function pluginOf(name: string, manifest: Partial<Manifest>): Plugin {
  return definePlugin({ name, version: '1.0.0', rmk: '*', ...manifest })();
}

/** A class that keeps what is injected for `of`, in `seen`. */
function collector(of: symbol, seen: unknown[]): Class {
  @injectable()
  class Collector {
    constructor(@inject(of) private readonly injected: unknown) {}

    start(): void {
      seen.push(this.injected);
    }
  }
  return Collector;
}

describe('injection', () => {
  it('hands the one instance of a provided class to everyone who requires its token', async () => {
    let instances = 0;
    class Counted implements Pin {
      readonly id = ++instances;
      start(): void {}
    }
    const seen: unknown[] = [];
    const { domain } = await domainOf([
      pluginOf('consumer', { requires: [PIN], modules: [collector(PIN, seen), collector(PIN, seen)] }),
      pluginOf('provider', {
        provides: [provide(PIN, Counted), provide(OTHER, Counted)],
        modules: [collector(PIN, seen), collector(OTHER, seen), Counted],
      }),
    ]);
    expect(instances).toBe(1);
    expect(seen).toHaveLength(4);
    // The provider's own classes get the object itself, those of the consumer one facade of it.
    expect(seen[0]).toBeInstanceOf(Counted);
    expect(seen[1]).toBe(seen[0]);
    expect(seen[2]).not.toBe(seen[0]);
    expect(seen[3]).toBe(seen[2]);
    expect(seen[2]).toBeInstanceOf(Counted);
    expect(seen[2]).toHaveProperty('id', 1);
    // The host has one of its own too.
    expect(domain.get(PIN)).toHaveProperty('id', 1);
    expect(domain.get(PIN)).toBe(domain.get(PIN));
    expect(domain.plugins.map(({ name, dependsOn }) => [name, dependsOn])).toEqual([
      ['provider', []],
      ['consumer', ['provider']],
    ]);
  });

  it('gives every plugin a bus, a clock and its options, validated', async () => {
    const seen: unknown[] = [];
    const modules = [collector(BUS, seen), collector(CLOCK, seen), collector(OPTIONS, seen)];
    const options = z.object({ limit: z.number().default(7) });
    const limited = definePlugin({ name: 'limited', version: '1.0.0', rmk: '*', options, modules });
    await domainOf([limited(), pluginOf('plain', { modules })]);
    expect(seen).toHaveLength(6);
    expect(seen[2]).toEqual({ limit: 7 });
    expect(seen[5]).toBeUndefined();
    expect(seen[0]).not.toBe(seen[3]);
    expect(seen[1]).not.toBe(seen[4]);
  });

  it('starts what is injected before what it is injected into', async () => {
    const log: string[] = [];
    class Inner implements Pin {
      readonly id = 1;
      start(): void {
        log.push('inner');
      }
    }
    @injectable()
    class Outer implements Pin {
      readonly id = 2;
      constructor(@inject(PIN) readonly inner: Pin) {}
      async start(): Promise<void> {
        await Promise.resolve();
        log.push('outer');
      }
    }
    class Last {
      start(): void {
        log.push('last');
      }
    }
    await domainOf([
      pluginOf('a', { provides: [provide(OTHER, Outer), provide(PIN, Inner)], modules: [Last] }),
    ]);
    expect(log).toEqual(['inner', 'outer', 'last']);
  });

  it('knows no token that nobody provides', async () => {
    const { domain } = await domainOf([]);
    expect(() => domain.get(PIN)).toThrow(
      'RMK_ERR_UNKNOWN: no plugin of the domain test provides test:PIN. Add one that does.',
    );
  });
});

describe('a class that nothing can be injected into', () => {
  const started: string[] = [];
  class First {
    start(): void {
      started.push('first');
    }
  }

  @injectable()
  class Base {
    constructor(@inject(BUS) readonly bus: unknown) {}
    start(): void {}
  }
  @injectable()
  class Derived extends Base {}
  @injectable()
  class Forgetful {
    constructor(
      @inject(BUS) readonly bus: unknown,
      readonly clock: unknown,
    ) {}
    start(): void {}
  }

  it.each([
    [
      'a parameter without @inject',
      Forgetful,
      'x: Forgetful cannot be injected: put @injectable() on the class and @inject(TOKEN) on parameter 2 (clock) of its constructor',
    ],
    [
      'an inherited constructor',
      Derived,
      'x: Derived cannot be injected: it inherits its constructor from Base. Give it one of its own, with @inject(TOKEN) on each parameter',
    ],
    [
      'the name of a token',
      collector('BUS' as unknown as symbol, []),
      "x: Collector asks for the text 'BUS' by @inject on parameter 1 (injected), which is no token. Import the token and write @inject(TOKEN)",
    ],
    [
      'a token of an import cycle',
      collector(undefined as unknown as symbol, []),
      'x: Collector asks for undefined by @inject on parameter 1 (injected), which is no token. That often comes of an import cycle: move the token into a file of its own',
    ],
  ])('because of %s is refused before anything runs', async (_, module, message) => {
    started.length = 0;
    const error = await errorOf(
      domainOf([pluginOf('first', { modules: [First] }), pluginOf('x', { modules: [module] })]),
    );
    expect(error).toMatchObject({ code: 'RMK_ERR_START', plugin: 'x', reason: message });
    expect(started).toEqual([]);
  });

  it('may have a base that takes nothing, or pass something on to it', async () => {
    class Plain {
      readonly id = 1;
    }
    class Simple extends Plain {
      start(): void {}
    }
    @injectable()
    class Passing extends Base {
      constructor() {
        super('a bus of its own');
      }
    }
    const { domain } = await domainOf([pluginOf('x', { modules: [Simple, Passing] })]);
    expect(domain.plugins).toMatchObject([{ state: 'active' }]);
  });

  it('is made for each domain, be it a singleton of tsyringe', async () => {
    const seen: unknown[] = [];
    @singleton()
    class Single {
      constructor(@inject(BUS) private readonly bus: unknown) {}
      start(): void {
        seen.push(this.bus);
      }
    }
    await domainOf([pluginOf('x', { modules: [Single] })]);
    await domainOf([pluginOf('x', { modules: [Single] })]);
    expect(seen).toHaveLength(2);
    expect(seen[0]).not.toBe(seen[1]);
  });

  it('does not see what is registered with the global container', async () => {
    container.register(OTHER, { useValue: { id: 1 } });
    const error = await errorOf(domainOf([pluginOf('x', { modules: [collector(OTHER, [])] })]));
    expect(error.reason).toContain('x: Collector asks for test:OTHER, which the manifest does not require');
  });
});

describe('a class that cannot be constructed', () => {
  it('because it asks for what its plugin does not require', async () => {
    @injectable()
    class Greedy {
      constructor(@inject(PIN) readonly pin: Pin) {}
      start(): void {}
    }
    class Provided implements Pin {
      readonly id = 1;
    }
    const error = await errorOf(
      domainOf([
        pluginOf('provider', { provides: [provide(PIN, Provided)] }),
        pluginOf('greedy', { modules: [Greedy] }),
      ]),
    );
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.plugin).toBe('greedy');
    expect(error.message).toBe(
      'RMK_ERR_START: greedy: Greedy asks for test:PIN, which the manifest does not require: add it to `requires`',
    );
  });

  it.each([
    ['what the kernel has', VIRTUAL_MACHINE, 'VIRTUAL_MACHINE'],
    ['what a provider of it provides besides', OTHER, 'test:OTHER'],
  ])('because it asks for %s, and its plugin does not require that', async (_, of, name) => {
    class Provided implements Pin {
      readonly id = 1;
    }
    const error = await errorOf(
      domainOf([
        pluginOf('provider', { provides: [provide(PIN, Provided), provide(OTHER, Provided)] }),
        pluginOf('greedy', { requires: [PIN], modules: [collector(of, [])] }),
      ]),
    );
    expect(error.message).toContain(
      `greedy: Collector asks for ${name}, which the manifest does not require`,
    );
  });

  it('because one that is injected into it asks for what its plugin does not require', async () => {
    @injectable()
    class Inner implements Pin {
      readonly id = 1;
      constructor(@inject(OTHER) readonly other: Pin) {}
    }
    const error = await errorOf(
      domainOf([pluginOf('a', { modules: [collector(PIN, [])], provides: [provide(PIN, Inner)] })]),
    );
    expect(error.message).toContain('a: Inner asks for test:OTHER');
  });

  it('because it is not decorated', async () => {
    class Bare {
      constructor(readonly pin: Pin) {}
      start(): void {}
    }
    const error = await errorOf(domainOf([pluginOf('a', { modules: [Bare] })]));
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.message).toContain(
      'a: Bare cannot be injected: put @injectable() on the class and @inject(TOKEN)',
    );
  });

  it('because a parameter of it is not decorated', async () => {
    @injectable()
    class HalfBare {
      constructor(readonly pin: Pin) {}
      start(): void {}
    }
    const error = await errorOf(domainOf([pluginOf('a', { modules: [HalfBare] })]));
    expect(error.message).toContain('a: HalfBare cannot be injected');
  });

  it('because only type metadata says what its parameter is: neither RMK nor its builds rely on that', async () => {
    @injectable()
    class Service {
      start(): void {}
    }
    @injectable()
    class Typed {
      constructor(readonly service: Service) {}
      start(): void {}
    }
    expect(Reflect.hasMetadata('design:paramtypes', Typed)).toBe(false);
    Reflect.defineMetadata('design:paramtypes', [Service], Typed);
    const error = await errorOf(domainOf([pluginOf('a', { modules: [Typed] })]));
    expect(error.message).toBe(
      'RMK_ERR_START: a: Typed cannot be injected: put @injectable() on the class and @inject(TOKEN) on parameter 1 (service) of its constructor',
    );
  });

  it('because two classes of a plugin are injected into each other', async () => {
    @injectable()
    class Hen implements Pin {
      readonly id = 1;
      constructor(@inject(OTHER) readonly egg: Pin) {}
    }
    @injectable()
    class Egg implements Pin {
      readonly id = 2;
      constructor(@inject(PIN) readonly hen: Pin) {}
    }
    const error = await errorOf(
      domainOf([pluginOf('a', { provides: [provide(PIN, Hen), provide(OTHER, Egg)] })]),
    );
    expect(error.message).toContain('a: the constructor of Hen threw: Hen is injected into itself');
  });

  it('because its constructor returns a promise, whose rejection ends nothing', async () => {
    @injectable()
    class Later implements Pin {
      readonly id: number = 1;
      constructor() {
        return Object.assign(Promise.reject(new Error('too late')), { id: 1 });
      }
    }
    const error = await errorOf(domainOf([pluginOf('a', { modules: [Later] })]));
    expect(error.message).toBe(
      'RMK_ERR_START: a: the constructor of Later returned a promise: do what takes time in start()',
    );
  });

  it('because its constructor throws, be it while it is injected into another', async () => {
    const cause = new Error('no device');
    class Failing implements Pin {
      readonly id: number;
      constructor() {
        this.id = 1;
        throw cause;
      }
    }
    @injectable()
    class Outer implements Pin {
      readonly id = 2;
      constructor(@inject(PIN) readonly inner: Pin) {}
    }
    const provides = [provide(OTHER, Outer), provide(PIN, Failing)];
    const error = await errorOf(domainOf([pluginOf('a', { provides })]));
    expect(error.code).toBe('RMK_ERR_START');
    expect(error.message).toBe('RMK_ERR_START: a: the constructor of Failing threw: no device');
    expect(error.cause).toBe(cause);
  });
});
