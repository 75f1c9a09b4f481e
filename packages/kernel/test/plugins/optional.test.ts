import 'reflect-metadata';
import {
  definePlugin,
  provide,
  token,
  type Domain,
  type Module,
  type OnFailure,
  type Plugin,
} from '@rmk/core';
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

  describe('is given to its user once its provider', () => {
    /** Fails to start as often as `failures` says. */
    function flaky(failures: number, onFailure: OnFailure): Plugin {
      return plugin(
        'thermometer',
        () => {
          if (failures-- > 0) throw new Error('no device');
        },
        { provides: [provide(THERMOMETER, Forty)], onFailure },
      );
    }

    it('has been retried with success; retries that fail do not restart the user', async () => {
      const { domain, machine } = await domainOf([fan(), flaky(3, 'quarantine'), plugin('other')], {
        supervision: { restartAfter: '100ns' },
      });
      await machine.run(350);
      expect(injected).toEqual([undefined]);
      expect(domain.plugins.find(({ name }) => name === 'fan')).toMatchObject({ restarts: 0 });
      await machine.run(400);
      expect(injected).toEqual([undefined, 40]);
      expect(statuses(domain)).toEqual([
        'other active []',
        'thermometer active []',
        'fan active [thermometer]',
      ]);
      await domain.stop();
    });

    it('was restarted by the host, and the restart is reported with its reason', async () => {
      const { domain } = await domainOf([fan(), flaky(1, 'continue')]);
      const reasons: (string | undefined)[] = [];
      domain.bus.on('EVT_PLUGINCHANGED', ({ plugin: name, to, reason }) => {
        if (name === 'fan' && to === 'pending') reasons.push(reason);
      });
      await domain.restart('thermometer');
      expect(injected).toEqual([undefined, 40]);
      expect(reasons).toEqual(['thermometer is active again']);
      await domain.restart('thermometer');
      expect(injected).toEqual([undefined, 40, 40]);
      expect(reasons).toEqual(['thermometer is active again', 'restarted by the host']);
    });
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
