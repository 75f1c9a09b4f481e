import { provide, token, type Manifest, type Plugin } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

const PIN = token<object>('test:COMPANION_PIN');
class RealPin {
  readonly id = 1;
}

function named(name: string, manifest: Partial<Manifest> = {}): Plugin {
  return plugin(name, () => {}, manifest);
}

const names = ({ plugins }: { readonly plugins: readonly { readonly name: string }[] }): readonly string[] =>
  plugins.map(({ name }) => name);

describe('the companions of a plugin', () => {
  it('are installed ahead of it, with companions of their own, each once', async () => {
    const last = named('last');
    const watch = named('watch', { companions: [last] });
    const { domain } = await domainOf([
      named('first'),
      named('one', { companions: [watch, last] }),
      named('two', { companions: [watch] }),
    ]);
    expect(names(domain)).toEqual(['first', 'last', 'watch', 'one', 'two']);
    expect(domain.plugins.map(({ state }) => state)).toEqual(Array(5).fill('active'));
  });

  it('give way to a plugin of their name that is given or installed', async () => {
    const own = named('watch', { version: '2.0.0' });
    const { domain } = await domainOf([named('one', { companions: [named('watch')] }), own]);
    await domain.install(named('two', { companions: [named('watch'), named('other')] }));
    expect(names(domain)).toEqual(['one', 'watch', 'other', 'two']);
    expect(domain.plugins[1]?.version).toBe('2.0.0');
  });

  it('outlive it: they are neither restarted nor removed with it', async () => {
    const one = named('one', { companions: [named('watch')] });
    const { domain } = await domainOf([one]);
    await domain.restart('one');
    expect(domain.plugins).toMatchObject([
      { name: 'watch', restarts: 0 },
      { name: 'one', restarts: 1 },
    ]);
    await domain.remove('one');
    expect(names(domain)).toEqual(['watch']);
    await domain.install(one);
    expect(names(domain)).toEqual(['watch', 'one']);
  });

  it('go again with a plugin that could not be installed', async () => {
    const { domain } = await domainOf([]);
    const broken = plugin(
      'broken',
      () => {
        throw new Error('no such device');
      },
      { companions: [named('watch')] },
    );
    expect((await errorOf(domain.install(broken))).code).toBe('RMK_ERR_START');
    expect(names(domain)).toEqual([]);
  });

  it('are checked like any plugin, and may not bring themselves forever', async () => {
    const companions: Plugin[] = [];
    const loop = named('loop', { companions });
    companions.push(loop);
    expect(names((await domainOf([loop])).domain)).toEqual(['loop']);
    const wrong = named('one', { companions: [named('watch', { requires: [PIN] })] });
    expect((await errorOf(domainOf([wrong]))).code).toBe('RMK_ERR_MISSING');
    const factory = (() => {}) as unknown as Plugin;
    const { problems } = await errorOf(domainOf([named('one', { companions: [factory] })]));
    expect(problems).toEqual([
      {
        path: 'manifest.companions[0]',
        message:
          'expected a plugin, given a function: definePlugin makes factories of plugins. Call this one.',
      },
    ]);
  });

  it.each([[null], [{}], ['name']])(
    'name %j once, with its path, where it is no plugin',
    async (companion) => {
      const error = await errorOf(domainOf([named('one', { companions: [companion as unknown as Plugin] })]));
      expect(error).toMatchObject({
        code: 'RMK_ERR_MANIFEST',
        plugin: 'one',
        problems: [
          {
            path: 'manifest.companions[0]',
            message: 'expected a plugin: what a factory made by definePlugin returns',
          },
        ],
      });
    },
  );

  it('that throw while they are read are a mistake of the manifest', async () => {
    const companions = new Proxy<Plugin[]>([], {
      get() {
        throw new Error('px');
      },
    });
    const error = await errorOf(domainOf([named('one', { companions })]));
    expect(error.message).toBe(
      "RMK_ERR_MANIFEST: one: reading the manifest threw: px. The plugin's author must fix it.",
    );
  });

  it('may provide what it requires', async () => {
    const pin = named('pin', { provides: [provide(PIN, RealPin)], modules: [] });
    const { domain } = await domainOf([named('one', { requires: [PIN], companions: [pin] })]);
    expect(domain.plugins[1]).toMatchObject({ name: 'one', dependsOn: ['pin'] });
  });
});
