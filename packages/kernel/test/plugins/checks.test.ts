import {
  CHECKPOINTING,
  DETECTIONS,
  definePlugin,
  provide,
  RMK_VERSION,
  token,
  VIRTUAL_MACHINE,
  type MachineTraits,
  type Plugin,
} from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { domainOf, errorOf, plugin } from '../testDomain.js';

class Anything {
  stop(): void {}
}
const PIN = token<Anything>('test:PIN');

/** A plugin as JavaScript can write it: the checks are for those without a type checker. */
function written(definition: Record<string, unknown>, options?: unknown): Plugin {
  return { definition: { name: 'rmk-plugin-x', version: '1.0.0', rmk: '*', ...definition }, options };
}

const provider = (name: string): Plugin => plugin(name, undefined, { provides: [provide(PIN, Anything)] });

describe('a plugin is refused', () => {
  it.each([
    ['its name is missing', { name: undefined }, 'a plugin without a name: manifest.name: '],
    ['its name is no npm name', { name: 'No Name' }, 'No Name: manifest.name: expected the npm name'],
    ['its name is the kernel’s own', { name: 'kernel' }, 'kernel: manifest.name: the name is taken by RMK'],
    ['its version is no version', { version: 'one' }, 'rmk-plugin-x: manifest.version: expected a version'],
    ['its range is no range', { rmk: 'any' }, 'rmk-plugin-x: manifest.rmk: expected a range'],
    ['its range is empty', { rmk: ' ' }, 'rmk-plugin-x: manifest.rmk: expected a range'],
    ['it requires no token', { requires: [undefined] }, 'manifest.requires[0]: expected a token'],
    [
      'it provides by no class',
      { provides: [{ token: PIN, by: {} }] },
      'manifest.provides[0].by: expected a class',
    ],
    ['a module is no class', { modules: ['Module'] }, 'manifest.modules[0]: expected a class'],
    [
      'its options are no schema',
      { options: { threshold: 5 } },
      'manifest.options: expected a Standard Schema',
    ],
    [
      'its manifest has a key unknown to RMK',
      { require: [] },
      'manifest.require: unknown key: did you mean requires?',
    ],
    ['it detects by no function', { detects: [] }, 'manifest.detects: expected a function'],
    ['it takes no token', { optional: ['P_VCPU'] }, 'manifest.optional[0]: expected a token'],
    [
      'an event of it has no name of an event',
      { events: ['EVT_FINE', 'roomTooHot'] },
      'manifest.events[1]: expected the name of an event, EVT_ and one run of capitals',
    ],
    ['it says nothing known of a failure', { onFailure: 'shrug' }, 'manifest.onFailure: Invalid option'],
  ])('when %s', async (_, definition, message) => {
    const error = await errorOf(domainOf([written(definition)]));
    expect(error.code).toBe('RMK_ERR_MANIFEST');
    expect(error.message).toContain(message);
  });

  it('when its manifest throws', async () => {
    const definition = {
      name: 'rmk-plugin-x',
      get version(): string {
        throw new Error('no package.json');
      },
    };
    const error = await errorOf(domainOf([{ definition, options: undefined } as Plugin]));
    expect(error.code).toBe('RMK_ERR_MANIFEST');
    expect(error.message).toContain('rmk-plugin-x: reading the manifest threw: no package.json');
  });

  it.each([
    [() => plugin('a'), 'Call this one.'],
    [undefined, 'Pass what such a factory returns.'],
    [{}, 'Pass what such a factory returns.'],
  ])('when it is not a plugin: %o', async (given, fix) => {
    const error = await errorOf(domainOf([given as unknown as Plugin]));
    expect(error.code).toBe('RMK_ERR_MANIFEST');
    expect(error.message).toContain(fix);
  });

  it.each([
    [
      { requires: [Anything] },
      'manifest.requires[0]: expected a token, given the class Anything: name the token that it is provided under',
    ],
    [{ modules: [() => {}] }, 'manifest.modules[0]: expected a class, given a function, not a class'],
    [{ modules: [async () => {}] }, 'manifest.modules[0]: expected a class, given a function, not a class'],
  ])('when it has the wrong kind of thing: %o', async (manifest, message) => {
    const error = await errorOf(domainOf([written(manifest)]));
    expect(error.code).toBe('RMK_ERR_MANIFEST');
    expect(error.message).toContain(message);
  });

  it('when its detects() is async, even if nothing awaits its rejection', async () => {
    const detects = () => Promise.reject(new Error('never seen'));
    const error = await errorOf(domainOf([written({ detects })]));
    expect(error).toMatchObject({
      code: 'RMK_ERR_MANIFEST',
      reason: 'rmk-plugin-x: detects() returned a promise: let it return what it computes',
    });
  });

  it('when it is made for another version of RMK', async () => {
    const error = await errorOf(domainOf([written({ rmk: '^99' })]));
    expect(error.code).toBe('RMK_ERR_VERSION');
    expect(error.plugin).toBe('rmk-plugin-x');
    expect(error.message).toContain(`1.0.0 works with RMK ^99, and this is RMK ${RMK_VERSION}: install`);
  });

  it('when the hypervisor lacks a capability', async () => {
    const error = await errorOf(domainOf([plugin('a', undefined, { capabilities: ['pagefault-facts'] })]));
    expect(error.code).toBe('RMK_ERR_CAPABILITY');
    expect(error.message).toContain(
      'a needs the capability pagefault-facts, and the hypervisor of scripted offers deterministic',
    );
  });

  it('when nobody provides what it requires', async () => {
    const error = await errorOf(domainOf([plugin('a', undefined, { requires: [PIN] })]));
    expect(error.code).toBe('RMK_ERR_MISSING');
    expect(error.message).toBe(
      'RMK_ERR_MISSING: a requires test:PIN, but no plugin of the domain provides it. Add one that does.',
    );
  });

  it('when nobody provides what it requires, with the package that does where the token states one', async () => {
    const error = await errorOf(domainOf([plugin('a', undefined, { requires: [CHECKPOINTING] })]));
    expect(error.message).toBe(
      'RMK_ERR_MISSING: a requires CHECKPOINTING, but no plugin of the domain provides it. Add one that does, such as @rmk/pin-ptable.',
    );
  });

  it('when another one has its name', async () => {
    const error = await errorOf(domainOf([plugin('a'), plugin('a', undefined, { version: '2.0.0' })]));
    expect(error.code).toBe('RMK_ERR_DUPLICATE');
    expect(error.message).toContain('two plugins are named a (1.0.0 and 2.0.0)');
  });

  it('when another one provides the same token', async () => {
    const error = await errorOf(domainOf([provider('a'), provider('b')]));
    expect(error.code).toBe('RMK_ERR_DUPLICATE');
    expect(error.message).toContain('both a and b provide test:PIN');
  });

  it('when it provides a token twice', async () => {
    const provides = [provide(PIN, Anything), provide(PIN, Anything)];
    const error = await errorOf(domainOf([plugin('a', undefined, { provides })]));
    expect(error.message).toContain('a provides test:PIN twice');
  });

  it('when it provides what the kernel does', async () => {
    const error = await errorOf(
      domainOf([written({ provides: [{ token: VIRTUAL_MACHINE, by: Anything }] })]),
    );
    expect(error.code).toBe('RMK_ERR_DUPLICATE');
    expect(error.message).toContain('both the kernel and rmk-plugin-x provide VIRTUAL_MACHINE');
  });

  it('when plugins wait for each other', async () => {
    const error = await errorOf(
      domainOf([
        plugin('a', undefined, { after: ['b'] }),
        plugin('b', undefined, { after: ['c'] }),
        plugin('c', undefined, { after: ['a'] }),
      ]),
    );
    expect(error.code).toBe('RMK_ERR_CYCLE');
    expect(error.message).toBe(
      'RMK_ERR_CYCLE: a → b → c → a (a starts after b; b starts after c; c starts after a). Remove one of these dependencies.',
    );
  });
});

describe('the options of a plugin', () => {
  const schema = z.strictObject({ limit: z.number().max(9), names: z.array(z.string()).default([]) });
  const limited = definePlugin({ name: 'limited', version: '1.0.0', rmk: '*', options: schema });

  it('are refused with every issue and its path', async () => {
    const wrong = { limit: 10, names: ['a', 5], colour: 'red' };
    const error = await errorOf(domainOf([{ ...limited({ limit: 1 }), options: wrong }]));
    expect(error.code).toBe('RMK_ERR_OPTIONS');
    expect(error.plugin).toBe('limited');
    expect(error.problems).toEqual([
      { path: 'options.limit', message: 'Too big: expected number to be <=9' },
      { path: 'options.names[1]', message: 'Invalid input: expected string, received number' },
      { path: 'options.colour', message: 'unknown key: choose one of limit, names' },
    ]);
  });

  it('are rejected if the plugin takes none', async () => {
    const error = await errorOf(domainOf([written({}, { threshold: 5 })]));
    expect(error.code).toBe('RMK_ERR_OPTIONS');
    expect(error.message).toContain('rmk-plugin-x takes no options');
  });

  it('may be checked asynchronously', async () => {
    const slow = z.object({
      file: z.string().refine((name) => Promise.resolve(name !== 'absent'), 'no such file'),
    });
    const reader = definePlugin({ name: 'reader', version: '1.0.0', rmk: '*', options: slow });
    const error = await errorOf(domainOf([reader({ file: 'absent' })]));
    expect(error.message).toBe('RMK_ERR_OPTIONS: reader: options.file: no such file');
    await expect(domainOf([reader({ file: 'there' })])).resolves.toBeDefined();
  });

  it('are refused by a schema that throws', async () => {
    const cause = new Error('broken schema');
    const broken = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (): never => {
          throw cause;
        },
      },
    };
    const error = await errorOf(domainOf([written({ options: broken })]));
    expect(error.code).toBe('RMK_ERR_OPTIONS');
    expect(error.message).toContain('rmk-plugin-x: the schema of its options threw');
    expect(error.cause).toBe(cause);
  });
});

describe('what a plugin declares in detects', () => {
  it('may depend on two traits of the VM, and has no hold of the driver', async () => {
    const given: MachineTraits[] = [];
    const detects = (_: unknown, machine: MachineTraits): readonly [] => {
      given.push(machine);
      return [];
    };
    const { machine } = await domainOf([written({ detects })]);
    expect(given).toEqual([{ schedulingIntervalNs: 10e6, capabilities: new Set(['deterministic']) }]);
    expect(Object.isFrozen(given[0])).toBe(true);
    expect(given[0]?.capabilities).not.toBe(machine.capabilities);
  });

  it.each([
    [[{ kind: 'hang', boundNs: -1 }], 'detects[0].boundNs'],
    [[{ kind: 'hang', boundNs: Infinity }], 'detects[0].boundNs'],
    [[{ boundNs: 5 }], 'detects[0].kind'],
    [[{ kind: 'hang', boundNs: 5, note: '' }], 'detects[0].note'],
    ['hang', 'detects: '],
  ])('is refused when malformed: %j', async (detections, path) => {
    const error = await errorOf(domainOf([written({ detects: () => detections })]));
    expect(error.code).toBe('RMK_ERR_MANIFEST');
    expect(error.message).toContain(`rmk-plugin-x: ${path}`);
  });

  it('stays as it was checked', async () => {
    const detection = { kind: 'hang', boundNs: 5, quantile: 0.95, note: 'by two signs' };
    const { domain } = await domainOf([written({ detects: () => [detection] })]);
    detection.boundNs = Number.NaN;
    expect(domain.get(DETECTIONS).longestBoundNs).toBe(5);
    expect(domain.get(DETECTIONS).all).toEqual([{ ...detection, boundNs: 5, plugin: 'rmk-plugin-x' }]);
  });

  it('is refused when it cannot be found out', async () => {
    const detects = (): never => {
      throw new Error('no idea');
    };
    const error = await errorOf(domainOf([written({ detects })]));
    expect(error.message).toContain(
      "rmk-plugin-x: detects() threw: no idea. The plugin's author must fix it.",
    );
  });
});

describe('several problems', () => {
  it('are reported together, before any class is constructed', async () => {
    let constructed = 0;
    class Counted {
      constructor() {
        constructed += 1;
      }

      start(): void {}
    }
    const error = await errorOf(
      domainOf([
        plugin('fine', undefined, { modules: [Counted] }),
        plugin('needy', undefined, { requires: [PIN], rmk: '^99' }),
        written({ name: 'a', after: ['b'] }),
        written({ name: 'b', after: ['a'] }, { option: 1 }),
      ]),
    );
    expect(error.code).toBe('RMK_ERR_REFUSED');
    expect(error.problems.map(({ code }) => code)).toEqual([
      'RMK_ERR_VERSION',
      'RMK_ERR_OPTIONS',
      'RMK_ERR_MISSING',
      'RMK_ERR_CYCLE',
    ]);
    expect(constructed).toBe(0);
  });

  it('of the same kind are reported together for all plugins', async () => {
    const error = await errorOf(
      domainOf([written({ name: 'a', rmk: '^98' }), written({ name: 'b', rmk: '^99' })]),
    );
    expect(error.code).toBe('RMK_ERR_REFUSED');
    expect(error.plugin).toBeUndefined();
    expect(error.problems).toHaveLength(2);
    expect(error.problems[1]).toMatchObject({
      code: 'RMK_ERR_VERSION',
      plugin: 'b',
      message: expect.stringContaining('b 1.0.0 works with RMK ^99') as string,
    });
  });

  it('do not include what is only missing because its provider is malformed', async () => {
    const error = await errorOf(
      domainOf([
        plugin('needy', undefined, { requires: [PIN] }),
        written({ name: 'provider', version: 'x', provides: [{ token: PIN, by: Anything }] }),
      ]),
    );
    expect(error.code).toBe('RMK_ERR_MANIFEST');
  });
});
