import 'reflect-metadata';
import {
  BUS,
  definePlugin,
  provide,
  token,
  type Bus,
  type Domain,
  type Module,
  type Plugin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { beforeEach, describe, expect, it } from 'vitest';
import { domainOf, errorOf } from '../testDomain.js';

interface Rule {
  readonly name: string;
}

/** An extension point, with private fields as anyone's may have them. */
class Rules {
  readonly #rules: Rule[] = [];
  #limit = 5;
  readonly released: string[] = [];
  readonly frozen = Object.freeze({ name: 'frozen' });
  readonly latest = (): Rule | undefined => this.#rules.at(-1);

  get all(): readonly Rule[] {
    return this.#rules;
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
  }

  use(rule: Rule): Disposable & { readonly rule: Rule } {
    this.#rules.push(rule);
    return {
      rule,
      [Symbol.dispose]: () => {
        this.released.push(rule.name);
        this.#rules.splice(this.#rules.indexOf(rule), 1);
      },
    };
  }

  private readonly calls: (() => unknown)[] = [];

  stubborn(): Disposable {
    return {
      [Symbol.dispose]: () => {
        throw new Error('not mine to release');
      },
    };
  }

  position(rule: Rule): number {
    return this.#rules.indexOf(rule);
  }

  *names(): Generator<string> {
    for (const { name } of this.#rules) yield name;
  }

  lease(name: string): AsyncDisposable {
    return {
      [Symbol.asyncDispose]: async () => {
        await Promise.resolve();
        this.released.push(name);
      },
    };
  }

  /** Calls it at the next EVT_VMEXITED of its own. */
  each(call: () => unknown): void {
    this.calls.push(call);
  }

  callAll(): unknown {
    return this.calls.map((call) => call()).find((result) => result instanceof Promise);
  }

  same(one: () => number, other: () => number): { readonly same: boolean; readonly first: number } {
    return { same: one === other, first: one() };
  }

  async later(): Promise<Disposable> {
    return this.use({ name: 'later' });
  }
}
const RULES = token<Rules>('test:RULES');
const rules = definePlugin({ name: 'rules', version: '1.0.0', rmk: '*', provides: [provide(RULES, Rules)] });

/** A plugin that is quarantined at its first EVT_VMEXITED and does at its start what `start` says. */
function consumer(start: (given: Rules) => void): Plugin {
  @injectable()
  class Consumer implements Module {
    constructor(
      @inject(RULES) private readonly given: Rules,
      @inject(BUS) private readonly bus: Bus,
    ) {}

    start(): void {
      this.bus.on('EVT_VMEXITED', () => {
        throw new Error('broken');
      });
      start(this.given);
    }
  }
  return definePlugin({
    name: 'consumer',
    version: '1.0.0',
    rmk: '*',
    requires: [RULES],
    modules: [Consumer],
  })();
}

let given: Rules | undefined;
let made: Disposable[] = [];
beforeEach(() => {
  given = undefined;
  made = [];
});

/** A domain with a consumer whose facade is kept in `given`, and the object behind it. */
async function startWith(
  use: (given: Rules) => void = () => {},
): Promise<{ readonly domain: Domain; readonly facade: Rules; readonly real: Rules }> {
  const keep = (facade: Rules): void => {
    given = facade;
    use(facade);
  };
  const supervision = { quarantineAfterFaults: 1 };
  const { domain } = await domainOf([rules(), consumer(keep)], { supervision });
  if (given === undefined) throw new Error('not started');
  return { domain, facade: given, real: domain.get(RULES) };
}

function registered(domain: Domain): readonly string[] | undefined {
  return domain.plugins.find(({ name }) => name === 'consumer')?.registered;
}

function quarantine(domain: Domain): void {
  domain.bus.topic('EVT_VMEXITED').publish({ atNs: 0, code: 0 });
}

describe('a disposable that a provided object returns', () => {
  const rule: Rule = { name: 'first' };

  it('is registered with the plugin that called, and released when that disposes of it', async () => {
    const { domain, real } = await startWith((facade) => void made.push(facade.use(rule)));
    expect(registered(domain)).toEqual(['EVT_VMEXITED', 'test:RULES.use']);
    expect(real.all).toEqual([rule]);
    made[0]?.[Symbol.dispose]();
    made[0]?.[Symbol.dispose]();
    expect(registered(domain)).toEqual(['EVT_VMEXITED']);
    expect(real.all).toEqual([]);
    await domain.remove('consumer');
    expect(real.released).toEqual(['first']);
  });

  it.each([
    ['removed', (domain: Domain) => domain.remove('consumer')],
    ['quarantined', async (domain: Domain) => quarantine(domain)],
  ])('is released once its plugin is %s, the newest first', async (_, end) => {
    const { domain, real } = await startWith((facade) => {
      facade.use(rule);
      facade.use({ name: 'second' });
    });
    await end(domain);
    expect(real.released).toEqual(['second', 'first']);
    expect(real.all).toEqual([]);
    expect(registered(domain) ?? []).toEqual([]);
  });

  it('is released if the plugin then fails to start', async () => {
    const { domain } = await domainOf([rules()]);
    const failing = consumer((facade) => {
      facade.use(rule);
      throw new Error('no');
    });
    expect((await errorOf(domain.install(failing))).code).toBe('RMK_ERR_START');
    expect(domain.get(RULES).all).toEqual([]);
    expect(domain.get(RULES).released).toEqual(['first']);
  });

  it('keeps its other members', async () => {
    const { facade } = await startWith();
    const use = facade.use(rule);
    expect(use.rule).toBe(rule);
    use[Symbol.dispose]();
    expect(facade.all).toEqual([]);
  });

  it('is a fault of its provider if its release throws, and everything else is released all the same', async () => {
    const { domain, real } = await startWith((facade) => {
      facade.use(rule);
      facade.stubborn();
    });
    const faults: string[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin, during, error }) => {
      faults.push(`${plugin} ${during} ${String(error)}`);
    });
    await domain.remove('consumer');
    expect(faults).toEqual(['rules test:RULES.stubborn Error: not mine to release']);
    expect(real.released).toEqual(['first']);
  });

  it('may come by a promise', async () => {
    const { domain, facade, real } = await startWith();
    const held = await facade.later();
    expect(registered(domain)).toEqual(['EVT_VMEXITED', 'test:RULES.later']);
    held[Symbol.dispose]();
    expect(registered(domain)).toEqual(['EVT_VMEXITED']);
    await facade.later();
    await domain.remove('consumer');
    expect(real.released).toEqual(['later', 'later']);
  });

  it('that a promise resolves to after the quarantine of the plugin is released at once', async () => {
    const { domain, facade, real } = await startWith();
    const coming = facade.later();
    quarantine(domain);
    await expect(coming).rejects.toThrow('RMK_ERR_STATE: consumer is quarantined');
    expect(real.all).toEqual([]);
    expect(real.released).toEqual(['later']);
  });

  it('may take a promise to release, which is waited for', async () => {
    const { domain, facade, real } = await startWith();
    const lease = facade.lease('first');
    expect(registered(domain)).toEqual(['EVT_VMEXITED', 'test:RULES.lease']);
    await lease[Symbol.asyncDispose]();
    expect(real.released).toEqual(['first']);
    expect(registered(domain)).toEqual(['EVT_VMEXITED']);
    facade.lease('second');
    await domain.remove('consumer');
    await domain.restart('rules');
    expect(real.released).toEqual(['first', 'second']);
  });

  it('is not an iterator', async () => {
    const { domain, facade } = await startWith((rulesOf) => void rulesOf.use({ name: 'one' }));
    expect([...facade.names()]).toEqual(['one']);
    expect(registered(domain)).toEqual(['EVT_VMEXITED', 'test:RULES.use']);
  });
});

describe('a callback that a plugin passes to another one', () => {
  @injectable()
  class Caller implements Module {
    constructor(
      @inject(RULES) private readonly used: Rules,
      @inject(BUS) private readonly bus: Bus,
    ) {}

    start(): void {
      this.bus.on('EVT_VMGONE', async () => {
        await this.used.callAll();
      });
    }
  }
  const caller = definePlugin({
    name: 'caller',
    version: '1.0.0',
    rmk: '*',
    requires: [RULES],
    modules: [Caller],
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['is rejected', () => Promise.reject(new Error('mine'))],
  ])('is a fault of the one that passed it if it %s', async (_, callback) => {
    const { domain, facade } = await startWith();
    await domain.install(caller());
    const faults: string[] = [];
    domain.bus.on('EVT_PLUGINFAULT', ({ plugin, error }) => void faults.push(`${plugin} ${String(error)}`));
    facade.each(callback);
    domain.bus.topic('EVT_VMGONE').publish({ atNs: 0, reason: 'test' });
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(faults).toEqual(['consumer Error: mine']);
    expect(domain.plugins.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'rules active',
      'consumer quarantined',
      'caller active',
    ]);
  });

  it('is the same function each time, and returns what the original returns', async () => {
    const { facade } = await startWith();
    const callback = (): number => 5;
    expect(facade.same(callback, callback)).toEqual({ same: true, first: 5 });
  });
});

describe('a call by a former plugin', () => {
  it.each([
    ['stopped', (domain: Domain) => domain.remove('consumer')],
    ['quarantined', async (domain: Domain) => quarantine(domain)],
  ])('is refused once it was %s', async (state, end) => {
    const { domain, facade, real } = await startWith();
    const { latest } = facade;
    await end(domain);
    const message = `RMK_ERR_STATE: consumer is ${state} and cannot call test:RULES.`;
    expect(() => facade.use({ name: 'late' })).toThrow(`${message}use. Stop everything that it runs`);
    expect(() => latest()).toThrow(`${message}latest`);
    expect(real.all).toEqual([]);
  });

  it('leaves nothing behind if the plugin is quarantined during the call', async () => {
    const { domain, facade, real } = await startWith();
    const use = real.use.bind(real);
    real.use = (rule) => {
      const used = use(rule);
      quarantine(domain);
      return used;
    };
    expect(() => facade.use({ name: 'late' })).toThrow('RMK_ERR_STATE: consumer is quarantined');
    expect(real.released).toEqual(['late']);
  });
});

describe('a provided object as another plugin sees it', () => {
  it('passes everything by identity, even with private fields', async () => {
    const { facade, real } = await startWith();
    const rule: Rule = { name: 'first' };
    facade.use(rule);
    expect(facade.all).toBe(real.all);
    expect(facade.all[0]).toBe(rule);
    expect(facade.position(rule)).toBe(0);
    expect(facade.latest()).toBe(rule);
    expect(facade.frozen).toBe(real.frozen);
    facade.limit = 7;
    expect([facade.limit, real.limit]).toEqual([7, 7]);
  });

  it('is a facade, whose methods stay the same ones', async () => {
    const { facade, real } = await startWith();
    expect(facade).not.toBe(real);
    expect(facade).toBeInstanceOf(Rules);
    expect('use' in facade).toBe(true);
    expect(facade.latest).toBe(facade.latest);
    expect(facade.latest.name).toBe('latest');
  });

  it('may be frozen', async () => {
    const { facade, real } = await startWith();
    Object.freeze(real);
    expect(facade.latest()).toBeUndefined();
  });
});
