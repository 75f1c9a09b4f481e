import 'reflect-metadata';
import { definePlugin, provide, token, type Domain, type Module, type Plugin } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { beforeEach, describe, expect, it } from 'vitest';
import { domainOf, errorOf, plugin } from '../testDomain.js';

interface Thermometer {
  read(): number;
}
const THERMOMETER = token<Thermometer>('test:THERMOMETER');

class Forty implements Thermometer {
  read(): number {
    return 40;
  }
}
const thermometer = (): Plugin =>
  plugin('thermometer', undefined, { provides: [provide(THERMOMETER, Forty)] });

const injected: (number | undefined)[] = [];
beforeEach(() => void injected.splice(0));

function fan(
  manifest: { readonly optional?: readonly (typeof THERMOMETER)[] } = { optional: [THERMOMETER] },
): Plugin {
  @injectable()
  class Fan implements Module {
    constructor(@inject(THERMOMETER) private readonly given: Thermometer | undefined) {}

    start(): void {
      injected.push(this.given?.read());
    }
  }
  return definePlugin({ name: 'fan', version: '1.0.0', rmk: '*', modules: [Fan], ...manifest })();
}

function statuses(domain: Domain): readonly string[] {
  return domain.plugins.map(({ name, state, dependsOn }) => `${name} ${state} [${dependsOn.join()}]`);
}

describe('what a plugin uses optionally', () => {
  it('is injected if another plugin provides it, which then starts before', async () => {
    const { domain } = await domainOf([fan(), thermometer()]);
    expect(injected).toEqual([40]);
    expect(statuses(domain)).toEqual(['thermometer active []', 'fan active [thermometer]']);
  });

  it('is undefined if nobody provides it', async () => {
    const { domain } = await domainOf([fan()]);
    expect(injected).toEqual([undefined]);
    await domain.install(thermometer());
    expect(injected).toEqual([undefined]);
    await domain.restart('fan');
    expect(injected).toEqual([undefined, 40]);
  });

  it('is undefined if its provider has failed', async () => {
    const failing = plugin(
      'thermometer',
      () => {
        throw new Error('no device');
      },
      { provides: [provide(THERMOMETER, Forty)], onFailure: 'continue' },
    );
    const { domain } = await domainOf([fan(), failing]);
    expect(injected).toEqual([undefined]);
    expect(statuses(domain)).toEqual(['thermometer failed []', 'fan active []']);
  });

  it('does not prevent the removal of its provider; its user is restarted without it', async () => {
    const { domain } = await domainOf([fan(), thermometer()]);
    await domain.remove('thermometer');
    expect(injected).toEqual([40, undefined]);
    expect(statuses(domain)).toEqual(['fan active []']);
    expect(domain.plugins).toMatchObject([{ restarts: 1 }]);
  });

  it('has to be named in the manifest', async () => {
    const error = await errorOf(domainOf([thermometer(), fan({})]));
    expect(error.message).toContain(
      'fan: Fan asks for test:THERMOMETER, which the manifest does not require',
    );
  });

  it('can close a cycle, which is reported', async () => {
    const error = await errorOf(
      domainOf([
        fan(),
        plugin('thermometer', undefined, { provides: [provide(THERMOMETER, Forty)], after: ['fan'] }),
      ]),
    );
    expect(error.code).toBe('RMK_ERR_CYCLE');
    expect(error.message).toContain('fan optionally uses test:THERMOMETER of thermometer');
  });
});
